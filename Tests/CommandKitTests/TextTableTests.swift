import Testing

@testable import CommandKit

@Suite("tables on a terminal")
struct TextTableTests {
    private func demo() -> TextTable {
        var table = TextTable("step", "what happened", "time", right: [2])
        table.add("experts", "5150 added, 0 updated, 0 as they were", "12.4 s")
        table.add("search", String(repeating: "“infromatique” read as “informatique”: ", count: 6), "0.1 s")
        return table
    }

    @Test("a table that fits is as wide as its cells")
    func fits() {
        var table = TextTable("service", "state", "entries", right: [2])
        table.add("events", "intact", "7")
        #expect(
            table.text(width: 80) == """
                service  state   entries
                -------  ------  -------
                events   intact        7
                """)
    }

    @Test("no line is longer than the terminal, and no word is lost", arguments: [24, 40, 60, 80, 120, 250])
    func wraps(width: Int) {
        let text = demo().text(width: width)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { TerminalText.width($0) <= width })
        let letters = text.filter { !$0.isWhitespace && $0 != "-" }
        for word in ["experts", "12.4", "informatique"] {
            // In adjacent columns, words are cut where a column is narrower.
            #expect(width < 40 || lines.contains { $0.contains(word) }, "\(word) at \(width)")
        }
        #expect(letters.count { $0 == "”" } == 12)
    }

    @Test("the widest column shrinks, and the others are unchanged")
    func widest() {
        let lines = demo().text(width: 60).split(separator: "\n")
        #expect(lines[1] == "-------  -------------------------------------------  ------")
        #expect(lines[2].hasPrefix("experts  5150 added, 0 updated, 0 as they were"))
        #expect(lines[2].hasSuffix("12.4 s"))
    }

    @Test("a word that is longer than its column is cut")
    func cuts() {
        var table = TextTable("id", "url")
        table.add("1", "https://hooks.example/0123456789/0123456789")
        let lines = table.text(width: 20).split(separator: "\n").map(String.init)
        #expect(lines.dropFirst(2).map { $0.drop { $0 == " " || $0 == "1" } }.joined().hasPrefix("https://"))
        #expect(lines.allSatisfy { $0.count <= 20 })
        #expect(lines.count > 4)
    }

    @Test(
        "characters have the width that a terminal gives them",
        arguments: [
            ("Éric", 4), ("E\u{301}ric", 4), ("日本", 4), ("ｆｕｌｌ", 8), ("한국", 4), ("👩‍👩‍👧", 2), ("✔️", 2), ("🇫🇷", 2),
            ("a\u{200B}b", 2),
            ("", 0), ("“a”", 3), ("…", 1),
        ])
    func widths(text: String, columns: Int) {
        #expect(TerminalText.width(text) == columns)
    }

    @Test("wide characters keep the columns of a table straight")
    func straight() {
        var table = TextTable("nom", "n", right: [1])
        table.add("日本", "1")
        table.add("Zoé", "22")
        #expect(table.text(width: 80).split(separator: "\n").dropFirst(2) == ["日本   1", "Zoé   22"])
    }

    @Test("without a terminal a table is 80 columns wide, unless COLUMNS is set")
    func noTerminal() throws {
        let pipe = try OpenPipe()
        #expect(TextTable.terminalWidth(environment: [:], output: pipe.writing) == 80)
        #expect(TextTable.terminalWidth(environment: ["COLUMNS": "132"], output: pipe.writing) == 132)
        #expect(TextTable.terminalWidth(environment: ["COLUMNS": "wide"], output: pipe.writing) == 80)
    }

    @Test("on a terminal a table is as wide as the terminal")
    func terminal() throws {
        let terminal = try PseudoTerminal(columns: 97)
        #expect(TextTable.terminalWidth(environment: [:], output: terminal.screen) == 97)
    }

    @Test("a table is as wide as its widest cells, numbers right-aligned")
    func table() {
        var table = TextTable("what", "how many", right: [1])
        table.add("experts", "5150")
        table.add("été", "7")
        #expect(table.text == "what     how many\n-------  --------\nexperts      5150\nété             7")
    }
}
