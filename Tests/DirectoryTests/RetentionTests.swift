import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("retention")
struct RetentionTests {
    @Test("rules are data: listed with what is due, changed by the staff, read by the auditor")
    func rules() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let old = try await directory.person("Ana", "A")
            let home = try await directory.organization("Maison")
            let bound = try await directory.person("Bob", "B")
            let fresh = try await directory.person("Cléo", "C")
            _ = try await operating.send(
                CreateMandate.request(
                    path: home.id,
                    body: .init(person: bound.id, kind: .titular, from: "2020-01-01")))
            try await directory.backend.database.execute(
                "update person set updated_at = now() - interval '40 months' where id <> \(fresh.id)")
            let rules = try await directory.client(.auditor).send(ListRetentionRules.request()).items
            #expect(
                rules.map(\.code) == [
                    "inactivePeople", "leftExperts", "erasures", "formerAddresses", "bankLines", "importRows",
                    "referrals",
                ])
            #expect(rules.map(\.months) == [36, 36, 60, 36, 24, 3, 12] && rules.map(\.due) == [1, 0, 0, 0, 0, 0, 0])
            let due = try await operating.send(
                ListRetentionDue.request(path: "inactivePeople", query: .init(), body: Empty()))
            #expect(due.items.map(\.id.text) == [old.id.text])
            func change(_ months: Int, ifMatch: Int, as role: Role = .operator) async throws -> RawAnswer {
                try await directory.ask(
                    .patch, "/v1/retention-rules/inactivePeople", as: role, ifMatch: ifMatch,
                    json: #"{"months":\#(months)}"#)
            }
            #expect(try await change(48, ifMatch: 1, as: .auditor).status == 403)
            #expect(try await change(0, ifMatch: 1).status == 422)
            #expect(try await change(48, ifMatch: 1).decode(RetentionRule.self).due == 0)
            #expect(try await change(36, ifMatch: 1).status == 412)
            #expect(try await directory.ask("/v1/retention-rules/none/due").status == 404)
        }
    }

    @Test("an ambassador is kept, and one who left three years ago is not")
    func formerAmbassadors() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            var people: [Person] = []
            for name in ["Ana", "Bob", "Cléo"] as [Line] {
                let person = try await directory.person(name, "A")
                _ = try await operating.send(CreateAmbassador.request(body: .init(person: person.id)))
                people.append(person)
            }
            try await directory.backend.database.execute(
                """
                update ambassador set enrolled_on = '2015-01-01', left_on = case
                    when person = \(people[0].id) then (now() - interval '40 months')::date
                    when person = \(people[1].id) then (now() - interval '30 months')::date end
                """)
            try await directory.backend.database.execute("update person set updated_at = now() - interval '50 months'")
            let due = try await operating.send(
                ListRetentionDue.request(path: "inactivePeople", query: .init(), body: Empty()))
            #expect(due.items.map(\.id.text) == [people[0].id.text])
        }
    }

    @Test("the job erases people without role and contact, unless a service has seen them or does not respond")
    func enforced() async throws {
        for seen in [nil, Timestamp.now] as [Timestamp?] {
            try await withServices([DirectoryApplication.self, EventsPeer.self, ContentPeer.self, LobbyingPeer.self]) {
                services in
                let directory = services[.directory]
                let old = try await directory.person("Ana", "A")
                try await directory.backend.database.execute(
                    "update person set updated_at = now() - interval '40 months'")
                try await services[.events].backend.database.execute("insert into seen (at) values (\(seen))")
                try await directory.backend.database.execute(
                    """
                    insert into job (kind, payload, unique_key, maximum_attempts)
                    values ('schedule.retention', '{}', 'retention', 3) on conflict do nothing
                    """)
                for _ in 1...400 {
                    let row = try await directory.backend.database.first(
                        "select last_count from retention_rule where code = 'inactivePeople'")
                    if try row?.optional("last_count", as: Int.self) != nil { break }
                    try await Task.sleep(for: .milliseconds(50))
                }
                let erasures = try await directory.client(.operator).send(ListErasures.request(query: .init()))
                    .items
                #expect(erasures.map(\.subject.text) == (seen == nil ? [old.id.text] : []))
                #expect(erasures.allSatisfy { $0.reason == .retention })
                #expect(try await directory.ask("/v1/people/\(old.id)").status == (seen == nil ? 404 : 200))
            }
        }
    }
}

/// A service that reports the same about everyone: when they were last seen.
protocol Peer: ServiceApplication {}

extension Peer {
    static var title: String { "A peer for tests" }
    static var endpoints: [any Endpoint.Type] { [ReadPersonalData.self] }
    static var peers: [ServiceName] { [] }
    static var migrations: [Migration] {
        [Migration("0001-seen", sql: Array("create table seen (at timestamptz)".utf8))]
    }

    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.read(ReadPersonalData.self) { _ in
            let row = try await backend.database.first("select max(at) as last, '{}' as data from seen")
            return .value(try PersonalData(of: name, row))
        }
    }
}

enum EventsPeer: Peer { static let name = ServiceName.events }
enum ContentPeer: Peer { static let name = ServiceName.content }
enum LobbyingPeer: Peer { static let name = ServiceName.lobbying }
