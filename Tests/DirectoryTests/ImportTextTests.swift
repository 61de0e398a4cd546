import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The cost of cells and headers of a table, and how they are refused.
@Suite("the text of tables", .serialized)
struct ImportTextTests {
    private let topics = TopicVocabulary([(code: "cloud", label: "Informatique en nuage")])

    @Test("a cell with more marks than any letter has rejects its row; a header rejects the file")
    func refused() throws {
        let text = HostileText.marks.text(bytes: 1000)
        var reader = CSVReader()
        let records =
            reader.read(Array("name;email\nA;a@b.fr\n\(text);b@b.fr\nC;\(text)\nD;d@b.fr\n".utf8)) + reader.finish()
        #expect(records.map(\.fault) == [nil, nil, StreamSafe.refusal, StreamSafe.refusal, nil])
        var other = CSVReader()
        #expect(other.read(Array("name;\(text)\nA;1\n".utf8)).first?.fault == StreamSafe.refusal)
    }

    @Test("no cell of any column costs more than plain ASCII", arguments: HostileText.allCases)
    func cells(hostile: HostileText) {
        check(PersonColumn.self, PersonRow(), hostile)
        check(ExpertColumn.self, ExpertRow(), hostile)
        check(OrganizationColumn.self, OrganizationRow(kindOfNew: nil), hostile)
        check(AmbassadorColumn.self, AmbassadorRow(), hostile)
    }

    private func check<Row: ImportedRow>(_: Row.Column.Type, _ blank: Row, _ hostile: HostileText) {
        for column in Row.Column.allCases {
            TextCost.check("\(Row.noun) \(column)", bytes: 10_000, texts: [hostile]) { text in
                var row = blank
                for cell in [text, "https://\(text)", "a@\(text)", "\(text)/\(text)/\(text)"] {
                    try? row.read(Cell.trimmed(cell), as: column, topics)
                    _ = Cell.isNothing(cell)
                }
            }
        }
    }

    @Test("nor do the reader, the headers, or a list of many values")
    func readers() {
        TextCost.check("record") { text in
            var reader = CSVReader()
            _ = reader.read(Array("name;email\n\"\(text)\";\(text)\n".utf8)) + reader.finish()
        }
        TextCost.check("header") { text in _ = try? ImportHeader<PersonColumn>(["email", text, "\(text)x"]) }
        TextCost.check("headers", bytes: 60) { text in
            _ = try? ImportHeader<PersonColumn>((0..<1000).map { "\($0)\(text)" })
        }
        TextCost.check("folding") { _ = Folding.key($0) }
        TextCost.check("list", bytes: 600) { text in
            let cell = (0..<200).map { "\($0)\(text)" }.joined(separator: ";")
            _ = try? Cell.list(cell) { part throws(InvalidText) in try Cell.line(part) }
        }
    }

    @Test("a cell with too many values is refused before one is read, whether or not they are equal")
    func manyValues() throws {
        var read = 0
        func count(_ cell: String, several: Bool) -> String? {
            read = 0
            do throws(InvalidText) {
                let one = { (part: String) throws(InvalidText) -> EmailAddress in
                    read += 1
                    return try EmailAddress(validating: part)
                }
                _ = try several ? Cell.several(cell, one) : Cell.list(cell, "/", one)
                return nil
            } catch {
                return error.reason
            }
        }
        let parts = (0..<30_000).map { "a\($0 % 3)@b.fr" }
        for separator in [",", ";", "\n", "|", "/", " , "] {
            let refusal = count(parts.joined(separator: separator), several: false)
            #expect(refusal == "has more than 200 values" && read == 0, "\(separator): \(read)")
            let other = count(parts.joined(separator: separator), several: true)
            // The whole is tried as one value first, and so are the parts between other separators.
            #expect(other == "has more than 20 values" && read <= 2, "\(separator): \(read)")
        }
        // Twenty parts of twenty each, and each as a whole.
        let groups = (0..<20).map { _ in parts.prefix(20).joined(separator: "/") }.joined(separator: ";")
        #expect(count(groups, several: true) == "has more than 20 values")
        #expect(read <= 420)
        #expect(count(parts.prefix(200).joined(separator: ","), several: false) == nil && read == 200)
        #expect(count(parts.prefix(20).joined(separator: ","), several: true) == nil)
    }

    @Test("a cell of many values costs no more than text of as many bytes, in any column")
    func manyValuesOfColumns() {
        func check<Row: ImportedRow>(_: Row.Column.Type, _ blank: Row) {
            for column in Row.Column.allCases {
                for value in ["a@b.fr", "0559000000", "été"] {
                    for separator in [",", "/"] {
                        let cell = Array(repeating: value, count: 5000).joined(separator: separator)
                        let text = String(repeating: "a", count: cell.utf8.count)
                        func cost(_ cell: String) -> Double {
                            TextCost.nanoseconds {
                                var row = blank
                                try? row.read(cell, as: column, topics)
                            }
                        }
                        let ratio = cost(cell) / max(cost(text), 100_000)
                        #expect(ratio <= TextCost.limit, "\(Row.noun) \(column) \(value)\(separator): \(ratio)")
                    }
                }
            }
        }
        check(PersonColumn.self, PersonRow())
        check(ExpertColumn.self, ExpertRow())
        check(OrganizationColumn.self, OrganizationRow(kindOfNew: nil))
        check(AmbassadorColumn.self, AmbassadorRow())
    }

    @Test("a card with many addresses and telephones costs no more than one with as many notes")
    func cards() {
        func cost(_ lines: [String]) -> Double {
            let card = Array(
                (["BEGIN:VCARD", "VERSION:4.0"] + lines + ["END:VCARD", ""]).joined(separator: "\r\n").utf8)
            return TextCost.nanoseconds {
                var reader = CardReader()
                _ = reader.read(card) + reader.finish()
            }
        }
        let long = (0..<50).map { "EMAIL:\($0)" + String(repeating: "é", count: 1200) }
        let emails = long + (0..<900).map { "EMAIL:a\($0)@b.fr" }
        let telephones =
            (0..<50).map { "TEL:\($0)" + String(repeating: "é", count: 1200) }
            + (0..<900).map { "TEL:+3355900\(1000 + $0)" }
        for lines in [emails, telephones, (0..<900).map { "TEL:+3355900\(1000 + $0 % 40)" }] {
            let notes = lines.map { "NOTE:" + String(repeating: "a", count: $0.utf8.count - 5) }
            let ratio = cost(lines) / max(cost(notes), 100_000)
            #expect(ratio <= TextCost.limit, "\(ratio)")
        }
    }

    @Test("quotes after many spaces cost no more than letters")
    func quotes() {
        func cost(_ cell: String) -> Double {
            TextCost.nanoseconds { _ = try? Cell.list(cell) { part throws(InvalidText) in try Cell.line(part) } }
        }
        let blanks = String(repeating: " ", count: 40_000)
        let known = cost(blanks + String(repeating: "xy", count: 20_000))
        #expect(cost(blanks + String(repeating: "x\"", count: 20_000)) <= known * TextCost.limit)
    }

    @Test("lists, quotes, codes and addresses are read as before")
    func meaning() throws {
        func list(_ cell: String) throws -> [String] {
            try Cell.list(cell) { part throws(InvalidText) in try Cell.line(part) }.map(\.text)
        }
        #expect(try list(#"A; "Durand, Fils" ;"say ""yes""";A"#) == ["A", "Durand, Fils", #"say "yes""#])
        #expect(try list("A\r\nB\n\nC|5\" D") == ["A", "B", "C", "5\" D"])
        #expect(try Cell.line(" a \r\n b\tc ").text == "a b c")
        #expect(try Cell.line("a\u{A0}b").text == "a\u{A0}b")
        #expect(
            Cell.isNothing("") && Cell.isNothing("Non Communiqué") && Cell.isNothing("#N/D") && !Cell.isNothing("non"))
        #expect(Cell.padded("84 200.0", to: 5) == "84200" && Cell.padded("1000", to: 5) == "01000")
        #expect(Departement.written("2a - Corse-du-Sud") == ["2A"] && Departement.written("1") == ["01"])
        #expect(try Cell.day("14/3/2026", of: .enrolment).text == "2026-03-14")
        #expect(try Cell.day("2026-03-14", of: .enrolment).text == "2026-03-14")
        #expect(Cell.address("a.fr") == "https://a.fr" && Cell.address("HTTP://a.fr") == "HTTP://a.fr")
        #expect(Folding.key("Numéro de SIRET") == "numerodesiret" && Folding.key("Œuvre ℡ 2") == "uvretel2")
    }
}
