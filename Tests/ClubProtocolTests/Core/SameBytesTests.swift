import ClubProtocol
import Testing

@Suite("Texts compared as bytes")
struct SameBytesTests {
    @Test("are the same only if every byte is, at any length and place", arguments: 0..<40)
    func everyByte(count: Int) {
        let text = String(repeating: "a", count: count)
        let part = "xx\(text)yy".dropFirst(2).dropLast(2)
        #expect(text.hasSameBytes(as: text) && text.hasSameBytes(as: part) && part.hasSameBytes(as: text))
        #expect(!text.hasSameBytes(as: text + "a") && !(text + "a").hasSameBytes(as: part))
        for place in 0..<count {
            var bytes = Array(text.utf8)
            bytes[place] = UInt8(ascii: "b")
            let other = String(decoding: bytes, as: UTF8.self)
            #expect(!text.hasSameBytes(as: other) && !other.hasSameBytes(as: part))
        }
    }

    @Test("are not the same for being canonically equivalent")
    func equivalent() {
        #expect("é" == "e\u{301}" && !"é".hasSameBytes(as: "e\u{301}"))
        #expect("K" == "\u{212A}" && !"K".hasSameBytes(as: "\u{212A}"))
    }
}
