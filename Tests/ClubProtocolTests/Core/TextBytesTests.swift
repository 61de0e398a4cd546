import ClubProtocol
import Testing

@Suite("texts as bytes")
struct TextBytesTests {
    @Test("texts that Swift considers equal differ unless their bytes are the same")
    func equality() {
        #expect("é" == "e\u{301}" && !"é".hasSameBytes(as: "e\u{301}"))
        #expect("K" == "\u{212A}" && !"K".hasSameBytes(as: "\u{212A}"))
        #expect("été".hasSameBytes(as: "xété".dropFirst()))
        #expect(ByteKey("é") != ByteKey("e\u{301}") && ByteKey("é") == ByteKey(String("xé".dropFirst())))
        #expect(Set(["é", "e\u{301}", "é"].map(ByteKey.init)).count == 2)
    }

    @Test("prefixes, suffixes and substrings")
    func parts() {
        #expect("https://x".hasBytePrefix("https://") && !"HTTPS://x".hasBytePrefix("https://"))
        #expect("84200.0".hasByteSuffix(".0") && !"0".hasByteSuffix(".0"))
        #expect("e\u{301}x".hasBytePrefix("e"))
        #expect(
            "a;;b".split(atByte: 0x3B) == ["a", "", "b"]
                && "a;;b".split(atByte: 0x3B, omittingEmpty: true) == ["a", "b"])
        #expect("a:b:c".split(atByte: 0x3A, maxSplits: 1) == ["a", "b:c"])
        #expect("aé漢b".prefix(scalars: 2) == "aé" && "a".prefix(scalars: 5) == "a")
    }

    @Test("only ASCII letters change case")
    func letterCase() {
        #expect("AZ[@É2a".asciiLowercased == "az[@É2a" && "az{`é2A".asciiUppercased == "AZ{`é2A")
    }

    @Test("whitespace of every script is trimmed at both ends, and kept elsewhere")
    func blanks() {
        #expect("\u{A0}\t a b\u{2003}\r\n".trimmingBlanks == "a b")
        #expect(" \u{3000}".trimmingBlanks == "" && " \u{3000}".isBlank && !" .".isBlank && "".isBlank)
        #expect("1 2\u{202F}3".removingScalars(where: \.isBlank) == "123")
        #expect("a\r\nb\rc\n".withLineFeeds == "a\nb\rc\n")
    }

    @Test("HTML's five special characters become references, everything else is unchanged")
    func html() {
        #expect(HTMLText.escaped("<a href=\"é\">'&'</a>") == "&lt;a href=&quot;é&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;")
        #expect(HTMLText.escaped("été 👩‍👩‍👧") == "été 👩‍👩‍👧")
    }

    @Test("a header field is visible ASCII, spaces and tabs, wherever another byte occurs")
    func fields() {
        func isField(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer(ASCII.isField) }
        #expect(isField([]) && isField(Array("Bearer \t~!".utf8)) && isField(Array(repeating: 0x7E, count: 40)))
        for bad: UInt8 in [0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xE9, 0xFF] {
            for place in 0..<20 {
                var bytes = Array(repeating: UInt8(ascii: " "), count: 20)
                bytes[place] = bad
                #expect(!isField(bytes), "\(bad) at \(place)")
                #expect(bytes.withUnsafeBufferPointer { ASCII.end(of: $0) } == (bad < 0x80 ? 20 : place))
            }
        }
    }
}
