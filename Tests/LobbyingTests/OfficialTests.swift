import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Lobbying

@Suite("Officials and their mandates", .serialized)
struct OfficialTests {
    private func mandate(
        _ official: Official, _ role: Line = "Députée", constituency: Line? = "2e circonscription", from: Day,
        until: Day? = nil, on lobbying: TestService
    ) async throws -> OfficialMandate {
        try await lobbying.patient(.lobbyist).send(
            AddOfficialMandate.request(
                path: official.id,
                body: .init(
                    institution: "Assemblée nationale", role: role, departement: "64", constituency: constituency,
                    from: from, until: until)))
    }

    @Test("an official is created, changed and shown with all mandates, oldest first")
    func life() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let official = try await lobbying.official()
            let client = try lobbying.patient(.lobbyist)
            let path = official.id
            let late = try await mandate(official, from: "2024-07-08", on: lobbying)
            let early = try await mandate(official, from: "2022-06-22", until: "2024-06-09", on: lobbying)
            let shown = try await client.send(GetOfficial.request(path: path))
            #expect(shown.mandates == [early, late])
            let listed = try await client.send(
                ListOfficialMandates.request(path: path, query: .init(limit: 1), body: Empty()))
            #expect(listed.items == [early])
            let next = try await client.send(
                ListOfficialMandates.request(path: path, query: .init(limit: 1, cursor: listed.next), body: Empty()))
            #expect(next.items == [late])
            #expect(next.next == nil)
            let changed = try await client.send(
                ChangeOfficial.request(
                    path: path, body: .init(email: .some("helene@example.org")), ifMatch: shown.version))
            #expect(changed.email == "helene@example.org")
            let stale = try await problem {
                try await client.send(
                    ChangeOfficial.request(path: path, body: .init(name: "X"), ifMatch: shown.version))
            }
            #expect(stale?.status == 412)
        }
    }

    @Test("a seat has one holder at a time; a mandate without a constituency takes no seat")
    func seats() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let first = try await lobbying.official("Hélène Vasseur")
            let second = try await lobbying.official("Paul Ardouin")
            _ = try await mandate(first, from: "2022-06-22", until: "2024-06-09", on: lobbying)
            let overlapping = try await problem {
                try await mandate(second, constituency: "2E circonscription", from: "2024-06-09", on: lobbying)
            }
            #expect(overlapping?.slug == "seat-taken")
            _ = try await mandate(second, from: "2024-06-10", on: lobbying)
            _ = try await mandate(first, constituency: "3e circonscription", from: "2024-06-10", on: lobbying)
            for official in [first, second] {
                _ = try await mandate(official, "Conseiller", constituency: nil, from: "2024-01-01", on: lobbying)
            }
            let backwards = try await problem {
                try await mandate(first, constituency: nil, from: "2024-01-02", until: "2024-01-01", on: lobbying)
            }
            #expect(backwards?.errors?.first?.pointer == "/until")
        }
    }

    @Test("mandates and meetings have bounded days, and a telephone number is stored in international form")
    func values() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let official = try await lobbying.official()
            for (from, until, pointer) in [
                ("0206-11-28", nil, "/from"), ("1958-10-03", nil, "/from"), ("2024-01-01", "2999-01-01", "/until"),
            ] as [(Day, Day?, String)] {
                let refused = try await problem {
                    try await mandate(official, constituency: nil, from: from, until: until, on: lobbying)
                }
                #expect(refused?.errors?.first?.pointer == pointer)
            }
            for date in ["0206-11-28", "2999-01-01"] as [Day] {
                let refused = try await problem { try await lobbying.meeting(on: date) }
                #expect(refused?.status == 422 && refused?.errors?.first?.pointer == "/date")
            }
            let client = try lobbying.patient(.lobbyist)
            let shown = try await client.send(GetOfficial.request(path: official.id))
            let changed = try await client.send(
                ChangeOfficial.request(
                    path: official.id, body: .init(telephone: .some("0590 12 34 56")),
                    ifMatch: shown.version))
            #expect(changed.telephone?.text == "+590590123456")
        }
    }

    @Test("officials are listed by name, by kind, and by who is in office on a day")
    func list() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let senator = try await lobbying.official("Guy Lormont", kind: .senator)
            let deputy = try await lobbying.official("Anne Castan")
            _ = try await mandate(deputy, from: "2022-06-22", until: "2024-06-09", on: lobbying)
            let client = try lobbying.patient(.auditor)
            func names(_ filter: ListOfficials.Filter) async throws -> [Official.ID] {
                try await client.send(ListOfficials.request(query: .init(filter))).items.map(\.id)
            }
            #expect(try await names(.init()) == [deputy.id, senator.id])
            #expect(try await names(.init(kind: .senator)) == [senator.id])
            #expect(try await names(.init(inOfficeOn: "2024-06-09")) == [deputy.id])
            #expect(try await names(.init(inOfficeOn: "2024-06-10")) == [])
        }
    }

    @Test("roles that neither run the club nor prepare the Cercle see nothing of it", arguments: Role.allCases)
    func access(role: Role) async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let reading = try await lobbying.raw(.get, "/v1/officials", role: role)
            let writing = try await lobbying.raw(
                .post, "/v1/officials", role: role, json: #"{"name": "Guy Lormont", "kind": "senator"}"#)
            #expect(reading.status == ([.operator, .lobbyist, .auditor].contains(role) ? 200 : 403))
            #expect(writing.status == ([.operator, .lobbyist].contains(role) ? 201 : 403))
        }
    }
}
