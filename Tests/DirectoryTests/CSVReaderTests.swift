import Foundation
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("reading CSV")
struct CSVReaderTests {
    private func records(_ bytes: [UInt8], inPiecesOf size: Int? = nil) -> [CSVReader.Record] {
        var reader = CSVReader()
        var records: [CSVReader.Record] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size ?? rest.count)
            records += reader.read(piece)
            rest = rest.dropFirst(piece.count)
        }
        return records + reader.finish()
    }

    private func cells(_ text: String) -> [[String]] { records(Array(text.utf8)).map(\.cells) }

    @Test("comma, semicolon, tab and vertical bar are detected from the first line")
    func delimiters() {
        for mark in [",", ";", "\t", "|"] {
            #expect(cells("a\(mark)b\(mark)c\n1\(mark)2\(mark)3") == [["a", "b", "c"], ["1", "2", "3"]])
        }
        #expect(cells("\"a,b,c\";d\n1;2") == [["a,b,c", "d"], ["1", "2"]])
        #expect(cells("sep=|\r\na|b\r\n1|2,5\r\n") == [["a", "b"], ["1", "2,5"]])
    }

    @Test("quotes may contain delimiters, line breaks and doubled quotes")
    func quotes() {
        let text = "a,b\r\n\"one, two\",\"say \"\"yes\"\"\"\r\n\"two\r\nlines\",\"\"\n5\" disk,x\"y\r"
        #expect(
            cells(text) == [
                ["a", "b"], ["one, two", "say \"yes\""], ["two\r\nlines", ""], ["5\" disk", "x\"y"],
            ])
    }

    @Test("blank lines, a missing last line end and lone carriage returns do not matter")
    func lines() {
        #expect(cells("\n\r\na,b\r\r1,2\r\n\r\n   \n3,4") == [["a", "b"], ["1", "2"], ["3", "4"]])
        #expect(cells("") == [])
        #expect(cells("\n\n") == [])
        #expect(cells("a,\n,b\n") == [["a", ""], ["", "b"]])
    }

    @Test("remarks before the headers are not records, and do not determine the delimiter")
    func remarks() {
        let table = [["#", "nom"], ["1", "Un, deux"], ["# 2", "x"]]
        #expect(cells("% a, \"b, c\n%\td, e\n\n# f\r\n#;nom\n1;Un, deux\n# 2;x\n") == table)
        #expect(cells("% only a remark") == [])
        #expect(cells("%\n") == [["%"]])
    }

    @Test("UTF-8 with a byte order mark, Windows-1252 and UTF-16 read the same")
    func encodings() {
        let text = "Société;Été\nL’Œuvre;10 €\n"
        let expected = [["Société", "Été"], ["L’Œuvre", "10 €"]]
        #expect(records(Array("\u{FEFF}\(text)".utf8)).map(\.cells) == expected)
        let latin: [UInt8] = Array(text.unicodeScalars).map { scalar in
            switch scalar {
            case "’": 0x92
            case "Œ": 0x8C
            case "€": 0x80
            default: UInt8(scalar.value)
            }
        }
        #expect(records(latin).map(\.cells) == expected)
        let units = Array("\u{FEFF}\(text)🚀".utf16)
        let little = units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let big = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        for bytes in [little, big, Array(little.dropFirst(2)), Array(big.dropFirst(2))] {
            #expect(records(bytes, inPiecesOf: 1).map(\.cells) == expected + [["🚀"]])
        }
    }

    @Test("an unclosed quote and an endless record are reported, and not kept in memory")
    func faults() {
        let open = records(Array("a,b\n1,2\n\"3,4\n5,6\n".utf8))
        #expect(open.map { $0.fault == nil } == [true, true, false])
        #expect(open.map(\.mayHoldOthers) == [false, false, true])
        // Closed by the quote of another cell, on a later line; on the same line it is accepted as a literal quote.
        for piece in [1, 100] {
            let torn = records(Array("a,b\n1,\"2\n3,\"4\"\n5,6\n\"7\"8,9\n".utf8), inPiecesOf: piece)
            #expect(torn.map { $0.fault == nil } == [true, false, true, true])
            #expect(torn.map(\.mayHoldOthers) == [false, true, false, false])
        }
        let long = Array("a,b\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: CSVReader.limit * 3)
        let lines = records(long + Array("\n1,2\n".utf8), inPiecesOf: 1000)
        #expect(lines.map { $0.fault == nil } == [true, false, true])
        #expect(lines.last?.cells == ["1", "2"])
        let binary = records((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7919) })
        #expect(!binary.isEmpty)
    }

    @Test("files hard for other readers are read correctly", .enabled(if: SharedData.isThere, SharedData.absent))
    func spectrum() throws {
        let folder = "csv_pieges/csv-spectrum"
        for file in try SharedData.files("\(folder)/csvs") {
            let bytes = try SharedData.bytes("\(folder)/csvs/\(file)")
            let whole = records(bytes)
            #expect(whole == records(bytes, inPiecesOf: 1), "\(file)")
            let json = try SharedData.bytes("\(folder)/json/\(file.dropLast(4)).json")
            // The expectation of one file belongs to another file.
            guard let expected = try? JSONDecoder().decode([[String: String]].self, from: Data(json)) else { continue }
            let header = try #require(whole.first).cells
            let rows = whole.dropFirst().map { Dictionary(zip(header, $0.cells)) { first, _ in first } }
            // Quoted line ends are kept unchanged.
            func plain(_ rows: [[String: String]]) -> [[String: String]] {
                rows.map { $0.mapValues { $0.replacing("\r\n", with: "\n") } }
            }
            #expect(plain(rows) == plain(expected), "\(file)")
        }
    }

    @Test("no file breaks the reader", .enabled(if: SharedData.isThere, SharedData.absent))
    func torture() throws {
        for folder in ["csvkit", "fabrique", "frictionless"] {
            for file in try SharedData.files("csv_pieges/\(folder)") {
                let bytes = try SharedData.bytes("csv_pieges/\(folder)/\(file)")
                #expect(records(bytes) == records(bytes, inPiecesOf: 7), "\(folder)/\(file)")
            }
        }
        let files = [
            "excel_fr_point_virgule_cp1252", "excel_fr_point_virgule_utf8_bom", "excel_unicode_tab_utf16le_bom",
        ]
        let read = try files.map { records(try SharedData.bytes("csv_pieges/fabrique/\($0).csv")) }
        #expect(read[0].first?.cells.first == "Dénomination")
        #expect(read[0].count > 10)
        #expect(read[0] == read[1])
        #expect(read[0].map(\.cells.count) == read[2].map(\.cells.count))
    }
}
