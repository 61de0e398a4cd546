import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Demo

@Suite("the demo's records")
struct DemoRecordsTests {
    @Test("mandates, a merge and its undo, a table with bad rows and an export; a second run duplicates nothing")
    func steps() async throws {
        try await TestClub.run([.directory]) { club in
            let directory = try club.client(.directory)
            _ = try await directory.send(
                CreateOrganization.request(body: .init(kind: .institution, name: DemoRecords.chamber)))
            for number in 0...1 {
                let adviser = DemoPopulation.adviser(number)
                _ = try await directory.send(
                    CreatePerson.request(
                        body: .init(
                            givenName: Line(validating: adviser.givenName),
                            familyName: Line(validating: adviser.familyName),
                            email: EmailAddress(validating: adviser.email))))
            }
            let records = DemoRecords(directory: directory)

            let represented = try await records.represent()
            let (first, second) = (DemoPopulation.adviser(0), DemoPopulation.adviser(1))
            #expect(represented.contains("represented by \(first.givenName) \(first.familyName), today by "))
            #expect(represented.hasSuffix("today by \(second.givenName) \(second.familyName)"))
            #expect(
                try await records.mergeAndUndo().hasSuffix(
                    "dominique.laborde@doublon.example and d.laborde@doublon.example"))
            let tried = try await records.tryTable()
            #expect(tried.hasPrefix("dry run of 3 rows, 2 bad: row 2, SIRET: "))
            #expect(tried.contains("row 3, Type: ") && tried.contains("row 3, E-mail: "))
            #expect(try await records.export().hasPrefix("0 experts, "))

            #expect(try await records.represent() == represented)
            #expect(try await records.mergeAndUndo() == "merged and brought back before")
            let mandates = try await directory.send(ListAllMandates.request(query: .init()))
            #expect(mandates.items.count == 2)
            let people = try await directory.send(ListPeople.request(query: .init()))
            #expect(people.items.count == 4)
        }
    }

    @Test("a demo that was killed before its members joined can be continued")
    func killed() async throws {
        try await TestClub.run([.directory]) { club in
            let directory = try club.client(.directory)
            let first = DemoPopulation.institutionNames[0]
            _ = try await directory.send(
                CreateOrganization.request(body: .init(kind: .institution, subKind: first.kind, name: first.name)))
            let demo = Demo(
                directory: directory, events: directory, content: directory, lobbying: directory,
                network: DemoNetwork(directory: directory, address: "http://127.0.0.1", pictures: nil) { _, _, _ in
                    directory
                },
                announce: { _ in })
            let year = Day.today.year
            #expect(try await demo.loadOrganizations() == "69 added; 70 become members for \(year); 70 in all")
            #expect(try await demo.loadOrganizations() == "0 added; 0 become members for \(year); 70 in all")
        }
    }
}
