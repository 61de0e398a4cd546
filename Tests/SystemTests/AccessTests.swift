import AsyncHTTPClient
import ClubProtocol
import Crypto
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import ServiceKit
import TestKit
import Testing

/// Who may call what: every endpoint of every service, with every role and with invalid tokens.
@Suite("access", .serialized)
struct AccessTests {
    private static let apis: [(service: ServiceName, endpoints: [any Endpoint.Type])] = [
        (DirectoryAPI.service, DirectoryAPI.endpoints), (EventsAPI.service, EventsAPI.endpoints),
        (ContentAPI.service, ContentAPI.endpoints), (LobbyingAPI.service, LobbyingAPI.endpoints),
    ]

    @Test("a listed role gets in, any other gets 403, whatever else is wrong with the request")
    func roles() async throws {
        try await TestClub.run { club in
            let callers = try await callers(club)
            for (service, endpoints) in Self.apis {
                for endpoint in endpoints {
                    let operation = endpoint.operation
                    for role in Role.allCases where role != .service {
                        let status = try await call(
                            operation, at: club[service].url,
                            token: try club.token(
                                role, organization: role == .expert ? callers.expert : callers.organization,
                                person: callers.person))
                        let name = "\(role) \(operation.method) \(operation.path)"
                        #expect((status == 403) == !operation.access.allows(role), "\(name): \(status)")
                        #expect(status != 401 && status < 500, "\(name): \(status)")
                    }
                }
            }
        }
    }

    @Test(
        "an absent, expired or forged token, or one for another audience or role than its key's, is 401 everywhere")
    func badTokens() async throws {
        try await TestClub.run { club in
            for (service, endpoints) in Self.apis {
                let tokens = try badTokens(for: service, in: club)
                let guarded = endpoints.filter { $0.operation.access != .anyone }
                // Every token on one operation, every operation without a token, and about forty operations with one
                // wrong token each: those are counted by address, and only sixty a minute are allowed.
                let stride = guarded.count / 40 + 1
                for (index, endpoint) in guarded.enumerated() {
                    let wrong = index.isMultiple(of: stride) ? [tokens[(index / stride) % tokens.count]] : []
                    for (name, token) in index == 0 ? tokens : [tokens[0]] + wrong {
                        let operation = endpoint.operation
                        let status = try await call(operation, at: club[service].url, token: token)
                        #expect(status == 401, "\(name) \(operation.method) \(operation.path): \(status)")
                    }
                }
            }
        }
    }

    @Test("a caller who tries one wrong token after another is told to wait")
    func guessing() async throws {
        try await TestClub.run([.lobbying]) { club in
            let url = club[.lobbying].url
            var statuses: [Int] = []
            for _ in 0..<100 {
                statuses.append(try await call(ListOfficials.operation, at: url, token: "guess"))
            }
            #expect(statuses.first == 401)
            #expect(statuses.last == 429)
            #expect(Set(statuses) == [401, 429])
        }
    }

    @Test("a service's own token is accepted by its peer, and authenticates that service only")
    func serviceTokens() async throws {
        try await TestClub.run([.directory]) { club in
            let signer = try TokenSigner(keyFile: "\(club.folder)/events.json", name: .events)
            let operation = ReadChanges.operation
            #expect(
                try await call(operation, at: club[.directory].url, token: try signer.token(for: .directory)) == 200)
            // A service may read the feed; it may not do an operator's work.
            let create = CreatePerson.operation
            #expect(try await call(create, at: club[.directory].url, token: try signer.token(for: .directory)) == 403)
            let impostor = try TokenSigner(keyFile: "\(club.folder)/events.json", name: .content)
            #expect(
                try await call(operation, at: club[.directory].url, token: try impostor.token(for: .directory)) == 401)
        }
    }

    @Test("every service refuses an ambassador's token soon after the directory has ended the role")
    func leaver() async throws {
        try await TestClub.run { club in
            let callers = try await callers(club)
            let token = try club.token(.ambassador, person: callers.person)
            let operations: [(ServiceName, ClubProtocol.Operation)] = [
                (.directory, ListExperts.operation), (.events, ListEvents.operation),
            ]
            for (service, operation) in operations {
                #expect(try await call(operation, at: club[service].url, token: token) == 200)
            }
            _ = try await club.client(.directory).send(
                TransitionAmbassador.request(path: callers.ambassador, body: .init(to: .left)))
            for (service, operation) in operations {
                try await eventually("\(service.rawValue) refuses it") {
                    try await call(operation, at: club[service].url, token: token) == 401
                }
            }
        }
    }

    // MARK: Steps

    /// One person who is a representative and an ambassador, and an expert, all known to the directory.
    private func callers(
        _ club: TestClub
    ) async throws -> (
        organization: Organization.ID, person: Person.ID, ambassador: Ambassador.ID, expert: Organization.ID
    ) {
        let directory = try club.client(.directory)
        let organization = try await directory.send(
            CreateOrganization.request(body: .init(kind: .institution, name: "Maison")))
        let person = try await directory.send(
            CreatePerson.request(body: .init(givenName: "Ana", familyName: "A", organization: organization.id)))
        let ambassador = try await directory.send(CreateAmbassador.request(body: .init(person: person.id)))
        let expert = try await directory.send(
            CreateExpert.request(
                body: .init(subKind: .webAgency, name: "Atelier", postalCode: "64000", commune: "Pau")))
        return (organization.id, person.id, ambassador.id, Organization.ID(expert.id.uuid))
    }

    private func badTokens(for service: ServiceName, in club: TestClub) throws -> [(String, String?)] {
        let operatorKey = try KeyFile(path: "\(club.folder)/operator.json")
        let eventsKey = try KeyFile(path: "\(club.folder)/events.json")
        let stranger = try KeyFile.generate(kid: "operator")
        let good = try club.token()
        let other = ServiceName.allCases.filter { $0 != service }
        let parts = good.split(separator: ".").map(String.init)
        return [
            ("absent", nil),
            ("garbage", "garbage"),
            ("cut off", String(good.dropLast(10))),
            (
                "expired",
                try TokenSigner.personToken(
                    key: operatorKey, subject: "x", role: .operator, ttl: .seconds(60),
                    now: .now.advanced(by: .seconds(-7200)))
            ),
            (
                "from the future",
                try TokenSigner.personToken(
                    key: operatorKey, subject: "x", role: .operator, ttl: .seconds(60),
                    now: .now.advanced(by: .seconds(7200)))
            ),
            (
                "another audience",
                try TokenSigner.personToken(
                    key: operatorKey, subject: "x", role: .operator, audience: other, ttl: .seconds(60))
            ),
            (
                "a service's key for a person",
                try TokenSigner.personToken(key: eventsKey, subject: "x", role: .operator, ttl: .seconds(60))
            ),
            (
                "a stranger's key with the operator's name",
                try TokenSigner.personToken(key: stranger, subject: "x", role: .operator, ttl: .seconds(60))
            ),
            ("alg none", "\(encoded(#"{"alg":"none","typ":"JWT"}"#)).\(parts[1])."),
            ("alg none with a signature", "\(encoded(#"{"alg":"none","typ":"JWT"}"#)).\(parts[1]).\(parts[2])"),
            ("HS256 with the public key", try hs256(parts[1], club)),
        ]
    }

    private func hs256(_ payload: String, _ club: TestClub) throws -> String {
        let trust = try TrustFile(path: "\(club.folder)/trust.json")
        let key = try #require(trust.keys.first?.key.x)
        let head = encoded(#"{"alg":"HS256","kid":"operator","typ":"JWT"}"#)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(head).\(payload)".utf8), using: SymmetricKey(data: Data(key.utf8)))
        return "\(head).\(payload).\(encoded(Data(code)))"
    }

    private func encoded(_ text: String) -> String { encoded(Data(text.utf8)) }

    private func encoded(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// The status of a request with an empty body and unknown identifiers.
    private func call(_ operation: ClubProtocol.Operation, at url: String, token: String?) async throws -> Int {
        let path = operation.segments.map { segment in
            switch segment {
            case .word(let word): "/\(word)"
            case .variable: "/\(Person.ID())"
            }
        }.joined()
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: operation.method.rawValue)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if operation.requiresIfMatch { request.headers.add(name: "If-Match", value: "\"1\"") }
        if operation.method != .get, operation.method != .delete {
            request.headers.add(name: "Content-Type", value: operation.consumes.rawValue)
            request.body = .bytes(ByteBuffer(string: operation.consumes == .csv ? "name\n" : "{}"))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        _ = try await response.body.collect(upTo: 8 << 20)
        return Int(response.status.code)
    }
}
