import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing people")
struct ImportPeopleTests {
    private func report(_ file: [UInt8], _ query: String, in directory: TestService) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/people\(query)", role: .operator, headers: ["Content-Type": "text/csv"], body: file
        ).decode(ImportReport.self)
    }

    @Test("people are matched by e-mail, else by name within their organization")
    func matching() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let firm = try await client.send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Un", siret: "73282932000074")))
            let ada = try await directory.person("Ada", "Été", email: "ada@example.org")
            let bob = try await directory.person("Bob", "Zola", organization: firm.id)
            let file = Array(
                ("Nom,Prénom,Courriel,Téléphone,SIRET,Flash info\n"
                    + "Été-Pau,,ADA@example.org,0559000000,73282932000074,oui\n"
                    + "ZOLA,Bob,,0559000001,73282932000074,\n"
                    + "Zola,Bob,,,,\n"
                    + "Nobody,No,,,55210055400013,\n"
                    + ",,,0559000002,,\n").utf8)
            let taken = try await report(file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((taken.created, taken.updated, taken.rejected) == (1, 2, 2))
            #expect(taken.errors.map(\.row) == [4, 5])
            let now = try await client.send(GetPerson.request(path: .init(person: ada.id)))
            #expect(now.familyName == "Été-Pau" && now.givenName == "Ada" && now.organization == firm.id)
            #expect(now.consents.flashInfo?.agreed == true)
            let other = try await client.send(GetPerson.request(path: .init(person: bob.id)))
            #expect(other.familyName == "ZOLA" && other.telephone == "0559000001")
            let again = try await report(file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((again.created, again.updated, again.skipped) == (0, 0, 3))
        }
    }

    @Test("what was exported is taken back unchanged")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let firm = try await directory.organization("Un")
            _ = try await directory.person("=1", "+2", organization: firm.id, consents: .init(flashInfo: false))
            _ = try await directory.person("Ada", "Été", email: "ada@example.org")
            let before = try await directory.ask("/v1/people").json()
            let table = try await directory.ask("/v1/people.csv?excel=true")
            let back = try await report(table.body, "?mode=apply", in: directory)
            #expect(back.errors == [] && back.skipped == 2)
            #expect(try await directory.ask("/v1/people").json() == before)
        }
    }
}
