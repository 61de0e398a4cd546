import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("callers named by tokens")
struct CallerTests {
    /// The claims of a token, and why it is invalid; `id` is the caller's own record.
    private struct Case {
        var name: String
        var role: Role
        var organization: Organization.ID?
        var person: Person.ID?
    }

    /// A directory that checks callers, as the executable does; or one that does not, to show that the check is what
    /// refuses.
    private func withDirectory(checking: Bool = true, _ body: (TestService) async throws -> Void) async throws {
        try await withService(DirectoryApplication.self, adjust: { $0.checksCallers = checking }) { try await body($0) }
    }

    /// Records of every kind: some active, some gone.
    private struct Cast {
        var house: Organization
        var other: Organization
        var person: Person
        var stranger: Person
        var former: Person
        var merged: Person
        var leaver: Person
        var expert: Expert
        var goneExpert: Expert
        var mergedExpert: Expert

        /// Callers whose tokens are right about them.
        var good: [Case] {
            [
                Case(name: "a representative", role: .representative, organization: house.id, person: person.id),
                Case(name: "one by mandate", role: .representative, organization: other.id, person: person.id),
                Case(name: "an organization", role: .representative, organization: house.id),
                Case(name: "an ambassador", role: .ambassador, person: person.id),
                Case(name: "an expert", role: .expert, organization: Organization.ID(expert.id.uuid)),
            ]
        }

        /// Callers whose tokens are wrong about them.
        var bad: [Case] {
            let experts = [expert, goneExpert, mergedExpert].map { Organization.ID($0.id.uuid) }
            return [
                Case(name: "no organization", role: .representative, person: person.id),
                Case(name: "made up", role: .representative, organization: Organization.ID(), person: person.id),
                Case(name: "an expert's", role: .representative, organization: experts[0], person: person.id),
                Case(name: "a stranger", role: .representative, organization: house.id, person: stranger.id),
                Case(name: "mandate over", role: .representative, organization: house.id, person: former.id),
                Case(name: "merged", role: .representative, organization: house.id, person: merged.id),
                Case(name: "nobody", role: .representative, organization: house.id, person: Person.ID()),
                Case(name: "no person", role: .ambassador),
                Case(name: "nobody", role: .ambassador, person: Person.ID()),
                Case(name: "no ambassador", role: .ambassador, person: stranger.id),
                Case(name: "merged", role: .ambassador, person: merged.id),
                Case(name: "has left", role: .ambassador, person: leaver.id),
                Case(name: "no record", role: .expert),
                Case(name: "made up", role: .expert, organization: Organization.ID()),
                Case(name: "an organization", role: .expert, organization: house.id),
                Case(name: "a person", role: .expert, organization: Organization.ID(person.id.uuid)),
                Case(name: "has left", role: .expert, organization: experts[1]),
                Case(name: "merged", role: .expert, organization: experts[2]),
                Case(name: "nobody's", role: .expert, organization: experts[0], person: Person.ID()),
            ]
        }
    }

    private func cast(_ directory: TestService) async throws -> Cast {
        let operating = try directory.client(.operator)
        let house = try await directory.organization("Maison")
        let other = try await directory.organization("Autre")
        let person = try await directory.person("Ana", "A", organization: house.id)
        let stranger = try await directory.person("Bob", "B")
        let former = try await directory.person("Cleo", "C")
        let merged = try await directory.person("Dan", "D", organization: house.id)
        let leaver = try await directory.person("Eva", "E")
        _ = try await operating.send(
            CreateMandate.request(
                path: other.id, body: .init(person: person.id, kind: .titular, from: "2020-01-01"))
        )
        _ = try await operating.send(
            CreateMandate.request(
                path: house.id,
                body: .init(person: former.id, kind: .titular, from: "2020-01-01", until: "2021-12-31")))
        for enrolled in [person, leaver, merged] {
            let ambassador = try await operating.send(CreateAmbassador.request(body: .init(person: enrolled.id)))
            if enrolled.id == leaver.id {
                _ = try await operating.send(
                    TransitionAmbassador.request(path: ambassador.id, body: .init(to: .left)))
            }
        }
        let experts = [
            try await directory.expert("Un") { $0.consents = .init(publicDirectory: true) },
            try await directory.expert("Deux"), try await directory.expert("Trois"),
        ]
        _ = try await operating.send(
            TransitionExpert.request(path: experts[1].id, body: .init(to: .left)))
        // As after a merge: the record is gone from its table.
        try await directory.database.withClient(searchPath: "directory") { client in
            try await client.execute("delete from ambassador where person = \(merged.id)")
            try await client.execute("delete from person where id = \(merged.id)")
            try await client.execute("delete from expert where id = \(experts[2].id)")
        }
        return Cast(
            house: house, other: other, person: person, stranger: stranger, former: former, merged: merged,
            leaver: leaver, expert: experts[0], goneExpert: experts[1], mergedExpert: experts[2])
    }

    /// The status of a list, a single record and a change for this caller.
    private func statuses(_ caller: Case, _ cast: Cast, in directory: TestService) async throws -> [Int] {
        let single: String
        let list: String
        switch caller.role {
        case .representative: (list, single) = ("/v1/people", "/v1/organizations/\(cast.house.id)")
        case .ambassador: (list, single) = ("/v1/experts", "/v1/experts/\(cast.expert.id)")
        default: (list, single) = ("/v1/experts", "/v1/experts/\(cast.expert.id)")
        }
        let token = try directory.token(caller.role, organization: caller.organization, person: caller.person)
        let headers = ["Authorization": "Bearer \(token)", "If-Match": "\"99\"", "Content-Type": "application/json"]
        let body = Array(#"{"purpose":"eventInvitations","agreed":true}"#.utf8)
        return [
            try await directory.raw(.get, list, headers: headers).status,
            try await directory.raw(.get, single, headers: headers).status,
            try await directory.raw(
                .post, "/v1/people/\(cast.person.id)/consents", headers: headers, body: body
            ).status,
        ]
    }

    @Test("a token for an unknown, departed, merged or different kind of record is refused on every operation")
    func refused() async throws {
        try await withDirectory { directory in
            let cast = try await cast(directory)
            for caller in cast.bad {
                #expect(
                    try await statuses(caller, cast, in: directory) == [401, 401, 401],
                    "\(caller.role): \(caller.name)")
            }
            for caller in cast.good {
                let found = try await statuses(caller, cast, in: directory)
                #expect(!found.contains(401) && found[0] == 200, "\(caller.role): \(caller.name): \(found)")
            }
        }
    }

    @Test("without the check the same tokens get in: the check refuses them")
    func negativeControl() async throws {
        try await withDirectory(checking: false) { directory in
            let cast = try await cast(directory)
            for caller in cast.bad {
                let found = try await statuses(caller, cast, in: directory)
                #expect(!found.contains(401), "\(caller.role): \(caller.name): \(found)")
            }
        }
    }

    @Test("a token is invalid once its ambassador has left, and valid again after the return")
    func leaving() async throws {
        try await withDirectory { directory in
            let cast = try await cast(directory)
            let ambassadors = try await directory.ask("/v1/ambassadors").items("id")
            let own = try #require(ambassadors.first)
            func status() async throws -> Int {
                try await directory.ask("/v1/experts", as: .ambassador, person: cast.person.id).status
            }
            #expect(try await status() == 200)
            let all = try await directory.ask("/v1/ambassadors/\(own)").decode(Ambassador.self)
            #expect(all.person == cast.person.id)
            let left = try await directory.ask(
                .post, "/v1/ambassadors/\(own)/transitions", json: #"{"to":"left"}"#)
            #expect(left.status == 200)
            try await eventually("the token is refused") { try await status() == 401 }
            _ = try await directory.ask(.post, "/v1/ambassadors/\(own)/transitions", json: #"{"to":"enrolled"}"#)
            try await eventually("the token is good again") { try await status() == 200 }
        }
    }

    @Test("the other services may ask; no one else may")
    func asking() async throws {
        try await withDirectory { directory in
            let cast = try await cast(directory)
            let service = try directory.client(.service)
            for caller in cast.good + cast.bad {
                let standing = try await service.send(
                    CheckCaller.request(
                        query: .init(role: caller.role, organization: caller.organization, person: caller.person)))
                let isGood = cast.good.contains { $0.name == caller.name && $0.role == caller.role }
                #expect(standing.isKnown == isGood, "\(caller.role): \(caller.name)")
            }
            for role in Role.allCases where role != .service && ![.representative, .ambassador, .expert].contains(role)
            {
                #expect(try await directory.ask("/v1/callers?role=expert", as: role).status == 403)
            }
        }
    }
}
