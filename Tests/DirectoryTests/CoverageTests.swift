import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("coverage")
struct CoverageTests {
    @Test("an expert counts once per département and topic served, even if a list repeats it")
    func counts() async throws {
        try await withField { directory in
            let client = try directory.client(.ambassador)
            let all = try await client.send(GetCoverage.request(query: .init()))
            #expect(all.departements.map(\.departement) == Departement.all)
            let pyrenees = try #require(all.departements.first { $0.departement == "64" })
            #expect(pyrenees.name == "Pyrénées-Atlantiques" && pyrenees.experts == 2 && pyrenees.ambassadors == 1)
            #expect(
                pyrenees.topics == [
                    TopicCoverage(topic: "cloud", ambassadors: 1, experts: 2),
                    TopicCoverage(topic: "payment", ambassadors: 0, experts: 1),
                ])
            let ain = try #require(all.departements.first)
            #expect(ain.experts == 0 && ain.ambassadors == 0 && ain.topics.isEmpty)

            let payment = try await client.send(GetCoverage.request(query: .init(topic: "payment", of: .experts)))
            let one = try #require(payment.departements.first { $0.departement == "64" })
            #expect(one.experts == 1 && one.ambassadors == nil)
            #expect(one.topics == [TopicCoverage(topic: "payment", experts: 1)])
            let unknown = try await directory.ask("/v1/coverage?topic=alchemy")
            #expect(unknown.status == 422)
            #expect(try unknown.pointer() == "topic")
            #expect(try await directory.ask("/v1/coverage", as: .expert).status == 403)
        }
    }

    @Test("gaps are listed worst first, page by page, each once")
    func gaps() async throws {
        try await withField { directory in
            let client = try directory.client(.operator)
            var gaps: [CoverageGap] = []
            var cursor: Cursor?
            repeat {
                let page = try await client.send(
                    ListCoverageGaps.request(
                        query: .init(.init(.init(topic: "cloud", of: .experts), enough: 2), limit: 60, cursor: cursor)))
                gaps += page.items
                cursor = page.next
            } while cursor != nil
            // All except the one that two experts serve.
            #expect(gaps.count == 107)
            #expect(Set(gaps.map(\.departement)).count == 107)
            #expect(gaps.last?.departement == "65" && gaps.last?.missing == 1 && gaps.last?.experts == 1)
            #expect(gaps.dropLast().allSatisfy { $0.missing == 2 })
            let both = try await client.send(
                ListCoverageGaps.request(query: .init(.init(.init(topic: "cloud")), limit: 200)))
            let here = try #require(both.items.first { $0.departement == "64" })
            #expect(here.experts == 2 && here.ambassadors == 1 && here.missing == 3)
            let wrong = try await directory.ask("/v1/coverage/gaps?enough=0")
            #expect(wrong.status == 422)
            #expect(try wrong.pointer() == "enough")
        }
    }

    @Test("the table has a line for each département and topic, zeros included")
    func table() async throws {
        try await withField { directory in
            let all = try await directory.ask("/v1/coverage.csv")
            #expect(all.headers["content-type"] == "text/csv")
            #expect(all.headers["content-disposition"] == #"attachment; filename="couverture.csv""#)
            let lines = all.text.split(separator: "\r\n")
            #expect(lines.count == 1 + 108 * Topic.starters.count)
            #expect(lines.first == "departement,name,topic,label,ambassadors,experts")
            #expect(lines.contains("64,Pyrénées-Atlantiques,cloud,Informatique en nuage,1,2"))
            #expect(lines.contains("01,Ain,cloud,Informatique en nuage,0,0"))
            let some = try await directory.ask("/v1/coverage.csv?topic=payment&of=ambassadors")
            #expect(
                some.text.split(separator: "\r\n").prefix(2) == [
                    "departement,name,topic,label,ambassadors", "01,Ain,payment,Paiement,0",
                ])
            // Like the other tables: opens in a French Excel with a double click.
            let excel = try await directory.ask("/v1/coverage.csv?topic=payment&excel=true")
            #expect(excel.body.starts(with: [0xEF, 0xBB, 0xBF]))
            #expect(excel.text.contains("64;Pyrénées-Atlantiques;payment;Paiement;0;1\r\n"))
        }
    }

    @Test("text that a spreadsheet would take for a formula, or that contains a line break, is written as text")
    func cells() {
        let line = CoverageStore.Line(
            departement: "01", name: "L'Ain, \"ici\"", topic: "a", label: "=1+1", ambassadors: 1, experts: 2)
        let table = CoverageTable(of: nil, TableFormat(isForExcel: false))
        let written = String(decoding: table.line(line), as: UTF8.self)
        #expect(written.hasPrefix("01,\"L'Ain, \"\"ici\"\"\",a,") && written.contains("'=1+1"))
    }

    @Test("the map is an SVG with the counts and the topic's French name")
    func map() async throws {
        try await withField { directory in
            let map = try await directory.ask("/v1/coverage.svg?topic=cloud")
            #expect(map.status == 200 && map.headers["content-type"] == "image/svg+xml")
            #expect(map.text.contains("Pyrénées-Atlantiques (64)\u{A0}: 2 experts"))
            #expect(map.text.contains("Informatique en nuage"))
            let ambassadors = try await directory.ask("/v1/coverage.svg?of=ambassadors")
            #expect(ambassadors.text.contains("Pyrénées-Atlantiques (64)\u{A0}: 1 ambassadeur"))
            #expect(try await directory.ask("/v1/coverage.svg?topic=alchemy").status == 422)
        }
    }

    /// Two experts and an ambassador in the south-west.
    private func withField(_ body: (TestService) async throws -> Void) async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Alpha") {
                $0.departements = ["64", "65", "64"]
                $0.topics = ["cloud"]
            }
            _ = try await directory.expert("Béta") { $0.topics = ["payment", "cloud"] }
            let person = try await directory.person("Ana", "Bidart")
            _ = try await directory.client(.operator).send(
                CreateAmbassador.request(body: .init(person: person.id, topics: ["cloud"], departements: ["64"])))
            try await body(directory)
        }
    }
}
