import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension ReferralTests {
    /// An enrolled ambassador in département 64 and experts who match the needs.
    func withField(experts: Int = 4, _ body: (Field) async throws -> Void) async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ana", "Bidart")
            let ambassador = try await directory.client(.operator).send(
                CreateAmbassador.request(body: .init(person: person.id, topics: ["cloud"], departements: ["64"])))
            var field = Field(directory: directory, person: person.id, ambassador: ambassador)
            for number in 0..<experts {
                field.experts.append(
                    try await directory.expert(Line(validating: "Expert \(number)")) {
                        $0.topics = ["cloud"]
                        $0.consents = ConsentChoices(publicDirectory: true)
                    })
            }
            try await body(field)
        }
    }

    struct Field {
        let directory: TestService
        let person: Person.ID
        let ambassador: Ambassador
        var experts: [Expert] = []

        var client: ServiceClient { get throws { try directory.client(.ambassador, person: person) } }

        func referral(topics: [Topic] = ["cloud"], firm: Firm? = nil) async throws -> Referral {
            try await client.send(
                CreateReferral.request(
                    body: .init(topics: topics, postalCode: "64000", description: "Une caisse.", firm: firm)))
        }

        func get(_ referral: Referral) async throws -> Referral {
            try await client.send(GetReferral.request(path: referral.id))
        }

        func send(_ referral: Referral, to experts: [Expert.ID]) async throws -> [ReferralOffer] {
            try await client.send(
                SendReferral.request(path: referral.id, body: .init(experts: experts))
            ).items
        }

        /// The latest offer sent to an expert, as the expert reads it.
        func offer(to expert: Expert.ID) async throws -> ReferralOffer {
            let client = try directory.client(.expert, organization: expert.claim)
            let page = try await client.send(ListReferralOffers.request(query: .init(limit: 1)))
            return try #require(page.items.first)
        }

        func raw(_ method: HTTPRequest.Method, _ path: String, _ json: String?) async throws -> RawAnswer {
            try await directory.ask(method, path, as: .ambassador, person: person, json: json)
        }

        /// A change by the expert, or by the ambassador who brought the need.
        func change(
            _ offer: ReferralOffer, _ json: String, by expert: Expert.ID? = nil, as role: Role? = nil
        ) async throws -> RawAnswer {
            try await directory.ask(
                .patch, "/v1/referral-offers/\(offer.id)", as: role ?? (expert == nil ? .ambassador : .expert),
                organization: expert?.claim, person: expert == nil ? person : nil, ifMatch: offer.version, json: json)
        }
    }
}

extension Expert.ID {
    /// As in an expert's token.
    var claim: Organization.ID { Organization.ID(uuid) }
}
