import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Mail sent to an address before a record claimed it does not belong to the record.
extension ForeignMailTests {
    /// The ways in which a record can claim an address by its own statement.
    enum Way: CaseIterable {
        case token, form, further, representative
    }

    private static let strangers: EmailAddress = "victim@stranger.example"

    /// A record that has claimed the stranger's address.
    private func taker(_ way: Way, _ network: Network) async throws -> DataSubject {
        let directory = network.directory
        switch way {
        case .token:
            let expert = try await directory.expert("Bob Web") { $0.email = "bob@y.example" }
            try await take(Self.strangers, by: expert, network)
            return DataSubject(expert.id)
        case .form:
            let expert = try await directory.expert("Bob Web") { $0.email = "bob@y.example" }
            let path = try await link(to: "bob@y.example", network)
            let form = "version=1&departements=64&email=victim%40stranger.example"
            let saved = try await network.post("\(path)/record", form)
            let next = try #require(saved.headers["location"]?.split(separator: "?").first.map(String.init))
            // The link to the new address was shown, and not mailed: it does not prove who reads there.
            #expect(try await network.post("\(next)/confirmation").status == 303)
            return DataSubject(expert.id)
        case .further:
            let ana = try await directory.person("Ana", "A", email: "ana@y.example")
            let changed = try await directory.ask(
                .patch, "/v1/people/\(ana.id)", as: .ambassador, person: ana.id, ifMatch: 1,
                json: #"{"otherEmails":["\#(Self.strangers)"]}"#)
            #expect(changed.status == 200)
            return DataSubject(ana.id)
        case .representative:
            let house = try await directory.organization("Maison")
            let created = try await directory.ask(
                .post, "/v1/people", as: .representative, organization: house.id,
                json: #"{"familyName":"Ana","email":"\#(Self.strangers)"}"#)
            #expect(created.status == 201)
            return DataSubject(try created.decode(Person.self).id)
        }
    }

    /// Requests a link, and reads it from its mail.
    private func link(to email: EmailAddress, _ network: Network) async throws -> String {
        _ = try await network.post("/v1/self-service", "email=\(email.text.replacing("@", with: "%40"))")
        var path: String?
        try await eventually("the link is mailed") {
            path = try await network.mails(0).first { $0.recipient == email.text && $0.path != nil }?.path
            return path != nil
        }
        return try #require(path)
    }

    /// The letters that the test sends, which begin with a number.
    private func sent(_ subjects: [String]) -> [String] { subjects.filter { $0.first?.isNumber ?? false } }

    private func suppress(_ email: EmailAddress, _ network: Network) async throws {
        _ = try await network.services[.content].client(.operator).send(
            CreateSuppression.request(body: .init(email: email, reason: .complaint)))
    }

    private func suppressed(_ network: Network) async throws -> Int {
        try await network.services.database.withClient(searchPath: "content") { client in
            try await client.first("select count(*) as count from suppression")?["count"] ?? 0
        }
    }

    @Test(
        "a record that claims a stranger's address reads and erases nothing sent there before, and lifts no refusal",
        arguments: Way.allCases)
    func strangers(way: Way) async throws {
        try await withNetwork { network in
            try await send("1 inconnu", to: Self.strangers, network)
            try await suppress(Self.strangers, network)
            let subject = try await taker(way, network)
            var told = try await told(subject, network)
            #expect(sent(told.letters) == [] && told.suppressions == 0)
            try await send("2 depuis", to: Self.strangers, network)
            told = try await self.told(subject, network)
            #expect(sent(told.letters) == ["2 depuis"] && told.suppressions == 0)
            try await erase(subject, network)
            #expect(sent(try await subjects(network)) == ["1 inconnu"])
            #expect(try await suppressed(network) == 1)
            let refused = try await network.services.database.withClient { client in
                try await client.first(
                    """
                    select content.address_hash(\(Self.strangers.text)) in (select hash from content.erased_address) as mailing,
                        directory.address_hash(\(Self.strangers.text)) in (
                            select hash from directory.declined_address) as agreeing
                    """)
            }
            #expect(try refused?["mailing", as: Bool.self] == false && refused?["agreeing", as: Bool.self] == false)
        }
    }

    @Test("a complaint made after the address was claimed stays, too; one at an address given by the staff is erased")
    func complaint() async throws {
        try await withNetwork { network in
            let subject = try await taker(.token, network)
            try await suppress(Self.strangers, network)
            #expect(try await told(subject, network).suppressions == 1)
            try await erase(subject, network)
            #expect(try await suppressed(network) == 1)

            let known = try await network.directory.expert("Connu") { $0.email = Self.strangers }
            try await erase(DataSubject(known.id), network)
            #expect(try await suppressed(network) == 0)
        }
    }

    @Test("using a link mailed to the address proves ownership; a program that opens the link does not")
    func confirmed() async throws {
        try await withNetwork { network in
            try await send("1 avant", to: Self.strangers, network)
            let subject = try await taker(.token, network)
            let path = try await link(to: Self.strangers, network)
            for page in ["", "/record"] {
                #expect(try await network.directory.raw(.get, path + page).status == 200)
            }
            #expect(sent(try await told(subject, network).letters) == [])
            #expect(try await network.post("\(path)/confirmation").status == 303)
            #expect(try await told(subject, network).letters.contains("1 avant"))
            try await suppress(Self.strangers, network)
            try await erase(subject, network)
            #expect(try await suppressed(network) == 0)
            #expect(sent(try await subjects(network)) == [])
        }
    }

    @Test("a new owner of an erased person's address gets nothing from before by their own claim")
    func departed() async throws {
        try await withNetwork { network in
            let ana = try await network.directory.person("Ana", "A", email: Self.strangers)
            try await erase(DataSubject(ana.id), network)
            try await send("1 après Ana", to: Self.strangers, network)
            let subject = try await taker(.token, network)
            #expect(try await told(subject, network).letters == [])
        }
    }

    @Test(
        "claiming a present person's address and being erased declines nothing for them; the staff's entry does"
    )
    func declined() async throws {
        for isSelfGiven in [true, false] {
            try await withDirectory { directory in
                let paul = try await directory.person("Paul", "P", email: "paul@p.example")
                let expert = try await directory.expert("Bob Web") { if !isSelfGiven { $0.email = "paul@p.example" } }
                if isSelfGiven {
                    let taken = try await directory.ask(
                        .patch, "/v1/experts/\(expert.id)", as: .expert, organization: Organization.ID(expert.id.uuid),
                        ifMatch: 1, json: #"{"email":"paul@p.example"}"#)
                    #expect(taken.status == 200)
                }
                _ = try await directory.client(.operator).send(
                    CreateErasure.request(body: .init(expert: expert.id, reason: .request)))
                let report = try await directory.takes(
                    .people, "nom,prenom,email,flashInfo\nP,Paul,paul@p.example,oui\n")
                #expect((report.notes?.count ?? 0) == (isSelfGiven ? 0 : 1))
                #expect(try await directory.person(paul.id).consents.flashInfo?.agreed == (isSelfGiven ? true : nil))
            }
        }
    }

    @Test("a merge and its undo move addresses with their provenance")
    func moved() async throws {
        try await withDirectory { directory in
            let (own, other) = (
                try await directory.person("Ana", "A", email: "une@x.example"),
                try await directory.person("Ana", "B")
            )
            let taken = try await directory.ask(
                .patch, "/v1/people/\(other.id)", as: .ambassador, person: other.id, ifMatch: 1,
                json: #"{"email":"deux@x.example"}"#)
            #expect(taken.status == 200)
            /// The addresses of a record, claimed ones with a mark.
            func held(_ person: Person) async throws -> [String] {
                try await directory.backend.database.query(
                    """
                    select case when counts_from is null then '' else '?' end || email as text from address_held
                    where record = \(person.id) order by email
                    """
                ).map { try $0["text"] }
            }
            #expect(try await held(own) == ["une@x.example"])
            #expect(try await held(other) == ["?deux@x.example"])
            for (survivor, merged) in [(own, other), (other, own)] {
                let merge = try await directory.merge(merged.id.record, into: survivor.id.record, .person)
                #expect(try await held(survivor) == ["?deux@x.example", "une@x.example"])
                let known = try await SubjectIdentifiers.find(DataSubject(survivor.id), on: directory.backend.database)
                #expect(known.isSelfGiven("deux@x.example") && !known.isSelfGiven("une@x.example"))
                _ = try await directory.undo(merge)
                #expect(try await held(own) == ["une@x.example"])
                #expect(try await held(other) == ["?deux@x.example"])
            }
        }
    }
}
