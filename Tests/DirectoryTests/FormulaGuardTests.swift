import ServiceKit
import Testing

@testable import Directory

@Suite("cells that could be formulas")
struct FormulaGuardTests {
    /// The text with the guard's marks.
    private func guarded(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for place in FormulaGuard.places(in: text.utf8).reversed() { bytes.insert(FormulaGuard.mark, at: place) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "a mark precedes each character that would begin a formula, with every separator",
        arguments: [
            ("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("|x", "'|x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
            ("\nx", "'\nx"), ("'=x", "''=x"), ("''+x", "'''+x"), ("' =x", "'' =x"), (" =x", "' =x"),
            ("A;=1+1;", "A;'=1+1;"), ("A,=1", "A,'=1"), ("A\t=1", "A\t'=1"), ("A|=1", "A|'=1"), ("A\n=1", "A\n'=1"),
            ("A;\"=1", "A;'\"=1"), ("A;\"\" =1", "A;'\"\" =1"), ("\"=1", "'\"=1"), ("A; +33", "A;' +33"),
            ("A;=1;@2,-3", "A;'=1;'@2,'-3"), ("＝1", "'＝1"), ("A;＋1", "A;'＋1"), ("－1", "'－1"), ("A|\"＠x", "A|'\"＠x"),
            ("\u{A0}=1", "'\u{A0}=1"), ("A;\u{3000}=1", "A;'\u{3000}=1"), ("a||b", "a|'|b"), ("A;'=1", "A;''=1"),
        ])
    func marks(text: String, expected: String) {
        #expect(guarded(text) == expected)
        #expect(FormulaGuard.removed(from: expected) == text)
    }

    @Test(
        "text that begins no formula is unchanged",
        arguments: [
            "", "x", "'x", "'", "''", "l'=x", "0559", "64, 40", "Durand, Fils", "a;b;c", "x = 1; y", "A;'b", "«=»",
            "＃=1",
            "a\n\nb", "a\r\nb", "Été,\u{A0}hiver", ";", ",,", "\"\"",
        ])
    func harmless(text: String) {
        #expect(FormulaGuard.places(in: text.utf8) == [])
        #expect(FormulaGuard.removed(from: text) == text)
    }

    /// Random cells from everything that matters to the guard.
    private static func cells(_ count: Int, seed: UInt64) -> [String] {
        let parts = [
            "=", "+", "-", "@", "|", "\t", "\r", "\n", ";", ",", "\"", "'", " ", "\u{A0}", "\u{202F}", "\u{3000}", "＝",
            "＋", "－",
            "＠", "＃", "a", "1", "é", "'=", ";=", ",\"=",
        ]
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            (0..<Int.random(in: 0...9, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
        }
    }

    @Test("the guard's marks are removed again, whatever the text was")
    func inverse() {
        for cell in Self.cells(20_000, seed: 16) { #expect(FormulaGuard.removed(from: guarded(cell)) == cell) }
    }

    @Test("no part of a table begins a formula, whichever separator it is read with", arguments: [false, true])
    func everySeparator(isForExcel: Bool) {
        let format = TableFormat(isForExcel: isForExcel)
        let cells = Self.cells(8000, seed: 10)
        var table: [UInt8] = []
        // As in all our tables, a row begins with a cell that is not a formula.
        for name in ["id", "one", "two", "three", "four"] {
            format.append(name.utf8, to: &table)
            format.end(isLast: name == "four", in: &table)
        }
        for (index, cell) in cells.enumerated() {
            if index % 4 == 0 {
                format.append("row".utf8, to: &table)
                format.end(isLast: false, in: &table)
            }
            format.append(cell.utf8, to: &table)
            format.end(isLast: index % 4 == 3, in: &table)
        }
        let text = String(decoding: table, as: UTF8.self).unicodeScalars
        let blanks: Set<Unicode.Scalar> = ["\"", " ", "\u{A0}", "\u{202F}", "\u{3000}"]
        let signs: Set<Unicode.Scalar> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
        for separators in [",", ";", "\t", "|", ",;\t|"] {
            let marks = Set(separators.unicodeScalars).union(["\r", "\n"])
            for part in text.split(whereSeparator: { marks.contains($0) }) {
                let first = part.first { !blanks.contains($0) }
                #expect(first.map { !signs.contains($0) } ?? true, "\(String(String.UnicodeScalarView(part)))")
            }
        }
        // And the table reads back as it was written.
        var reader = CSVReader()
        let records = reader.read(table) + reader.finish()
        let read = records.dropFirst().flatMap { $0.cells.dropFirst() }.map { FormulaGuard.removed(from: $0) }
        #expect(read.map { Array($0.utf8) } == cells.map { Array($0.utf8) })
    }

    @Test("a number remains a number, with the comma that a French spreadsheet expects")
    func numbers() {
        for (isForExcel, expected) in [(false, "-1200.50,0.00"), (true, "-1200,50;0,00")] {
            var line: [UInt8] = []
            let format = TableFormat(isForExcel: isForExcel)
            format.append(number: "-1200.50".utf8, to: &line)
            format.end(isLast: false, in: &line)
            format.append(number: "0.00".utf8, to: &line)
            #expect(String(decoding: line, as: UTF8.self) == expected)
        }
    }
}
