import Foundation
import TestKit
import Testing

@testable import ClubProtocol

/// UAX #15, 13: no more than 30 non-starters in a row after decomposition.
@Suite("stream-safe text")
struct StreamSafeTests {
    private func marks(_ count: Int, _ mark: String = "\u{301}") -> String { String(repeating: mark, count: count) }

    @Test("thirty marks on a letter are accepted, one more is not, wherever they occur")
    func limit() {
        for base in ["", "a", "漢", "한", "😀", "abcdefgh", "é" + "x"] {
            for tail in ["", "b", "é", "漢漢"] {
                #expect(StreamSafe.accepts(base + marks(30) + tail), "\(base)")
                #expect(!StreamSafe.accepts(base + marks(31) + tail), "\(base)")
                #expect(!StreamSafe.accepts(tail + base + marks(15) + marks(16, "\u{316}") + tail), "\(base)")
            }
        }
        #expect(StreamSafe.accepts(String(repeating: "a" + marks(30), count: 100)))
        #expect(StreamSafe.accepts(""))
    }

    @Test("a composed character counts as what it decomposes to")
    func decomposed() {
        // é contains one mark, ᾂ three; U+0344 is two marks, and so is U+0F73; half-width kana marks are marks.
        #expect(StreamSafe.accepts("é" + marks(29)) && !StreamSafe.accepts("é" + marks(30)))
        #expect(StreamSafe.accepts("\u{1F82}" + marks(27)) && !StreamSafe.accepts("\u{1F82}" + marks(28)))
        #expect(StreamSafe.accepts("a" + marks(15, "\u{344}")) && !StreamSafe.accepts("a" + marks(16, "\u{344}")))
        #expect(!StreamSafe.accepts("a" + marks(16, "\u{F73}")))
        #expect(!StreamSafe.accepts("カ" + marks(31, "\u{FF9E}")))
        // A character that is not a mark separates them.
        #expect(StreamSafe.accepts(marks(30) + "\u{200D}" + marks(30)))
    }

    @Test("no text passes that has 31 non-starters in a row once decomposed")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let pool: [UInt32] = [
            0x61, 0xE9, 0x1F82, 0x301, 0x316, 0x344, 0xF73, 0xFF9E, 0x345, 0x5B0, 0x3099, 0xFDFA, 0x1E9B, 0x212B,
            0x1D15E,
            0xFB2C, 0x20D0, 0x1D165, 0x6DC, 0xAC01,
        ]
        for _ in 0..<3000 {
            let count = Int.random(in: 1...120, using: &generator)
            var text = ""
            let starters = Int.random(in: 1...12, using: &generator)
            for _ in 0..<count {
                let isMark = Int.random(in: 0...starters, using: &generator) > 0
                let scalars = isMark ? pool[3...9] : pool[...]
                if let value = scalars.randomElement(using: &generator), let scalar = Unicode.Scalar(value) {
                    text.unicodeScalars.append(scalar)
                }
            }
            var run = 0
            var longest = 0
            for scalar in text.decomposedStringWithCompatibilityMapping.unicodeScalars {
                run = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : run + 1
                longest = max(longest, run)
            }
            if longest > StreamSafe.longestRun {
                #expect(!StreamSafe.accepts(text), "\(text.unicodeScalars.map(\.value))")
            }
            // Conversely, up to two more are possible, from a starter in whose range others have as many.
            if longest <= StreamSafe.longestRun - 2 {
                #expect(StreamSafe.accepts(text), "\(text.unicodeScalars.map(\.value))")
            }
        }
    }

    private struct Body: Codable, Equatable {
        enum Kind: String, Codable, CaseIterable { case talk, workshop }
        struct Inner: Codable, Equatable { var note: String }
        var name: String?
        var kind: Kind?
        var kinds: [Kind]?
        var inner: Inner?
        var choices: [String: Kind]?
        var any: JSONValue?
    }

    private func pointers(_ json: String) -> [String] {
        do {
            _ = try StrictJSON.decode(Body.self, from: Array(json.utf8))
            return ["taken"]
        } catch let problem as Problem {
            return problem.type == .malformed ? ["400"] : problem.errors.map(\.pointer)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("a value is refused by its pointer, a key is unknown; escapes are decoded first")
    func json() {
        let text = "a" + marks(31)
        let escaped = "a" + String(repeating: #"\u0301"#, count: 31)
        for value in [text, escaped] {
            #expect(pointers(#"{"name":"\#(value)"}"#) == ["/name"])
            #expect(pointers(#"{"inner":{"note":"\#(value)"}}"#) == ["/inner/note"])
            #expect(pointers(#"{"kind":"\#(value)"}"#) == ["/kind"])
            #expect(pointers(#"{"kinds":["talk","\#(value)"]}"#) == ["/kinds/1"])
            #expect(pointers(#"{"any":[{"b":"\#(value)"}]}"#) == ["/any"])
            #expect(pointers(#"{"\#(value)":1}"#) == ["400"])
            #expect(pointers(#"{"any":{"\#(value)":1}}"#) == ["400"])
        }
        let fits = "a" + marks(30)
        #expect(pointers(#"{"name":"\#(fits)"}"#) == ["taken"])
        #expect(pointers(#"{"\#(fits)":1}"#).count == 1)
    }

    @Test("texts that cannot match any enumeration value or key are not compared with them")
    func names() {
        #expect(pointers(#"{"kind":"tal\#("\u{212A}")"}"#) == ["/kind"])
        #expect(pointers(#"{"kind":"\#(String(repeating: "t", count: 1000))"}"#) == ["/kind"])
        #expect(pointers(#"{"choices":{"é":"talk"}}"#).count == 1)
        #expect(pointers(#"{"choices":{"name":"talk"}}"#) == ["taken"])
        // é and e with an accent are two keys here, and neither is a known one.
        #expect(pointers("{\"é\":1,\"e\u{301}\":1}").count == 2)
        #expect(pointers(#"{"name":"a","name":"b"}"#) == ["400"])
    }

    private struct Query: Codable { var q: String?; var kind: Body.Kind?; var kinds: [Body.Kind]? }
    private struct Path: PathVariables { var token: String }

    @Test("a parameter is refused by its name, a path variable is not found")
    func flat() {
        let text = "a" + String(repeating: "%CC%81", count: 31)
        func pointer(_ query: String) -> String? {
            do {
                _ = try FlatCoding.decodeQuery(Query.self, from: query)
                return "taken"
            } catch let problem as Problem {
                return problem.type == .malformed ? "400" : problem.errors.first?.pointer
            } catch {
                return nil
            }
        }
        #expect(pointer("q=\(text)") == "q")
        #expect(pointer("kind=\(text)") == "kind")
        #expect(pointer("kinds=talk&kinds=\(text)") == "kinds")
        #expect(pointer("\(text)=1") == "400")
        let problem = #expect(throws: Problem.self) {
            try FlatCoding.decodePath(Path.self, names: ["token"], values: ["a" + marks(31)])
        }
        #expect(problem?.type == .notFound)
    }

    @Test("sixty-four pairs are read, more are a 400")
    func pairs() throws {
        func query(_ count: Int) -> String { (0..<count).map { _ in "kinds=talk" }.joined(separator: "&") }
        #expect(try FlatCoding.decodeQuery(Query.self, from: query(64) + "&&&").kinds?.count == 64)
        let problem = #expect(throws: Problem.self) { try FlatCoding.decodeQuery(Query.self, from: query(65)) }
        #expect(problem?.type == .malformed)
    }
}
