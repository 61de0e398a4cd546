import ClubProtocol
import Testing

/// Why a type refuses a text; nil when it accepts it.
func refusal<T: TextValue>(_ type: T.Type, _ text: String) -> String? {
    do {
        _ = try T(validating: text)
        return nil
    } catch {
        return error.reason
    }
}

@Suite("Lines and prose")
struct TextTests {
    @Test(
        "a line is any visible text on one line, kept unchanged",
        arguments: [
            "a", "Société d'Œuvres & Cie", "Robert'); DROP TABLE person;--", "<b>=cmd()</b>", "日本語", "👩‍👩‍👧‍👦", "e\u{301}",
            "Prêts\u{A0}: oui\u{202F}?", "می\u{200C}خواهم", "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "\u{10FFFF}x", "x\u{E000}",
        ])
    func line(text: String) throws {
        #expect(try Line(validating: text).text.unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(try Prose(validating: text).text.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(
        "a line is stripped of what no one sees: outer and doubled spaces, invisible characters",
        arguments: [
            (" padded ", "padded"), ("\u{A0}x\u{202F}", "x"), ("a\u{200B}b", "ab"), ("a  b", "a b"),
            ("a \u{A0} b", "a b"),
            ("a\u{A0}\u{A0}b", "a b"), ("a\u{3000}b", "a b"), ("a\u{2003}b", "a b"), ("Jean\u{AD}Paul", "JeanPaul"),
            ("\u{FEFF}Été", "Été"), ("é\u{2060}à", "éà"), ("a \u{200B} b", "a b"), ("a\u{200D} b", "a b"),
            ("\u{200C}a\u{200D}", "a"),
            ("👩\u{200D}💻 ", "👩\u{200D}💻"),
        ])
    func folded(text: String, kept: String) throws {
        #expect(try Line(validating: text).text.unicodeScalars.elementsEqual(kept.unicodeScalars))
        #expect(try Line(validating: kept).text.unicodeScalars.elementsEqual(kept.unicodeScalars))
        // Prose is kept unchanged.
        #expect(try Prose(validating: text).text.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(
        "text with nothing visible is empty: spaces, formats, tags, fillers, private use, unassigned code points",
        arguments: [
            "", " ", "   ", "\u{A0}", "\u{3000}\u{2003}", "\u{200B}", "\u{2060}\u{FEFF} \u{AD}", "\u{200C}\u{200D}",
            "\u{E0041}\u{E007F}",
            "\u{E000}", "\u{F0000} \u{10FFFD}", "\u{10FFFF}", "\u{2FE0}", "\u{3164}\u{FFA0}", "\u{115F}",
            "\u{FE0F}", "\u{2800}",
            "\u{2061}\u{180E}", "\u{FFFC}", "\u{FFF9} \u{FFFB}",
        ])
    func empty(text: String) {
        #expect(refusal(Line.self, text) == "is empty")
        #expect(refusal(Prose.self, text) == "is empty")
    }

    @Test(
        "line feeds, carriage returns and tabs are allowed in prose but not in a line",
        arguments: ["a\nb", "a\r\nb", "a\tb", "a\r", "\nBcc: x"])
    func breaks(text: String) throws {
        #expect(refusal(Line.self, text) == "must be on one line")
        #expect(refusal(Prose.self, text) == nil)
    }

    @Test(
        "control characters are refused everywhere",
        arguments: Array(0...0x08) + [0x0B, 0x0C] + Array(0x0E...0x1F) + Array(0x7F...0x9F))
    func control(value: UInt32) throws {
        let text = "a\(try #require(Unicode.Scalar(value)))b"
        #expect(refusal(Line.self, text) == "has a control character")
        #expect(refusal(Prose.self, text) == "has a control character")
    }

    @Test(
        "bidirectional controls are refused everywhere",
        arguments: [
            0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C,
        ] as [UInt32])
    func bidirectional(value: UInt32) throws {
        let text = "a\(try #require(Unicode.Scalar(value)))b"
        #expect(refusal(Line.self, text) == "has a bidirectional control character")
        #expect(refusal(Prose.self, text) == "has a bidirectional control character")
    }

    @Test(
        "line and paragraph separators and noncharacters are refused everywhere",
        arguments: [0x2028, 0x2029, 0xFFFE, 0xFFFF] as [UInt32])
    func separators(value: UInt32) throws {
        #expect(refusal(Line.self, "a\(try #require(Unicode.Scalar(value)))b") == "has an invalid character")
    }

    @Test("lengths are counted in Unicode characters, not in bytes")
    func lengths() {
        for letter in ["a", "é", "€", "😀"] {
            #expect(refusal(Line.self, String(repeating: letter, count: 200)) == nil)
            #expect(refusal(Line.self, String(repeating: letter, count: 201)) == "is longer than 200 characters")
            #expect(refusal(Prose.self, String(repeating: letter, count: 20_000)) == nil)
            #expect(refusal(Prose.self, String(repeating: letter, count: 20_001)) == "is longer than 20000 characters")
        }
    }

    @Test(
        "stripping a line does not join more combining marks than one letter may have",
        arguments: ["\u{200B}", "\u{2060}", "\u{FEFF}", "\u{AD}"])
    func marks(sign: String) throws {
        func text(_ first: Int, _ second: Int) -> String {
            "a" + String(repeating: "\u{301}", count: first) + sign + String(repeating: "\u{316}", count: second)
        }
        // As received they are allowed. (One less: some of the letters near the soft hyphen end with a mark of their
        // own.)
        #expect(StreamSafe.accepts(text(30, 29)))
        #expect(refusal(Line.self, text(30, 29)) == StreamSafe.refusal)
        #expect(refusal(Line.self, text(30, 30)) == StreamSafe.refusal)
        #expect(refusal(Line.self, text(30, 1)) == StreamSafe.refusal)
        #expect(refusal(FormField<Line>.self, " \(text(16, 15)) ") == StreamSafe.refusal)
        #expect(try Line(validating: text(15, 15)).text.unicodeScalars.count == 31)
        // Prose keeps the character.
        #expect(refusal(Prose.self, text(30, 30)) == nil)
        #expect(refusal(Line.self, text(30, 0) + "b" + text(0, 30)) == nil)
    }

    @Test("an accepted line can be sent back, whatever it was made of")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        let pool: [Unicode.Scalar] = [
            "a", "é", " ", "\u{A0}", "\u{202F}", "\u{3000}", "\u{301}", "\u{316}", "\u{344}", "\u{3099}", "\u{200B}",
            "\u{200C}", "\u{200D}", "\u{2060}", "\u{FEFF}", "\u{AD}",
        ]
        var taken = 0
        for _ in 0..<3000 {
            var text = String.UnicodeScalarView()
            let marks = Int.random(in: 0...12, using: &generator)
            for _ in 0..<Int.random(in: 1...150, using: &generator) {
                let isMark = Int.random(in: 0...12, using: &generator) < marks
                text.append((isMark ? pool[6...9] : pool[...]).randomElement(using: &generator) ?? "a")
            }
            guard StreamSafe.accepts(String(text)), let line = try? Line(validating: String(text)) else { continue }
            taken += 1
            #expect(StreamSafe.accepts(line.text), "\(text.map(\.value))")
            #expect(try Line(validating: line.text).text.unicodeScalars.elementsEqual(line.text.unicodeScalars))
        }
        #expect(taken > 100)
    }

    @Test("10 MB are refused")
    func huge() {
        let text = String(repeating: "a", count: 10_000_000)
        #expect(refusal(Line.self, text) == "is longer than 200 characters")
        #expect(refusal(Prose.self, text) == "is longer than 20000 characters")
    }

    @Test("the example of every type is a valid value")
    func examples() throws {
        func check<T: TextValue>(_ type: T.Type) throws {
            let example = T.schema.example
            #expect(try T(validating: example).text == example, "\(type)")
            if let maximum = T.schema.maxLength { #expect(example.count <= maximum) }
            if let pattern = T.schema.pattern { #expect(try example.wholeMatch(of: Regex(pattern)) != nil) }
        }
        try check(Line.self)
        try check(Prose.self)
        try check(EmailAddress.self)
        try check(Siren.self)
        try check(Siret.self)
        try check(PostalCode.self)
        try check(Departement.self)
        try check(WebAddress.self)
        try check(Telephone.self)
        try check(Timestamp.self)
        try check(Day.self)
        try check(Cursor.self)
        try check(Identifier<Never>.self)
    }

    @Test("a cursor has 1 to 2,048 bytes")
    func cursor() {
        #expect(refusal(Cursor.self, "") != nil)
        #expect(refusal(Cursor.self, String(repeating: "a", count: 2048)) == nil)
        #expect(refusal(Cursor.self, String(repeating: "a", count: 2049)) != nil)
    }
}
