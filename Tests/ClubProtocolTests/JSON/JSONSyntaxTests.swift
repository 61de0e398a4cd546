import ClubProtocol
import Testing

/// RFC 8259, read strictly: what is JSON and what is not.
@Suite("JSON syntax")
struct JSONSyntaxTests {
    @Test(
        "valid JSON is read",
        arguments: [
            ("null", JSONValue.null), (" \t\r\n true \n", .bool(true)), ("false", .bool(false)),
            ("0", .integer(0)), ("-7", .integer(-7)), ("123456789012345678", .integer(123_456_789_012_345_678)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9.223372036854775808e18)), ("-0", .number(-0.0)),
            ("-0.0", .number(-0.0)), ("1.5", .number(1.5)), ("1e3", .number(1000)), ("1E+2", .number(100)),
            ("1.25e-2", .number(0.0125)), ("0e0", .number(0)), ("0.0", .number(0)), ("-1.5E-1", .number(-0.15)),
            ("1e-400", .number(0)),
            ("\"\"", .string("")), ("\"Équipe\"", .string("Équipe")), ("\"/\"", .string("/")),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u00e9\u00E9""#, .string("éé")),
            (#""\u20ac""#, .string("€")), (#""\ud83d\ude00""#, .string("😀")),
            (#""\uDBFF\uDFFF""#, .string("\u{10FFFF}")),
            (#""a\u0041b""#, .string("aAb")), (#""\uFFFF""#, .string("\u{FFFF}")), ("\"\u{7F}\"", .string("\u{7F}")),
            (#""\u2028""#, .string("\u{2028}")), ("\"\u{2028}\"", .string("\u{2028}")),
            ("[]", .array([])), ("[ ]", .array([])),
            ("[1 , [2],{}]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
            ("{}", .object([:])), ("{ }", .object([:])), (#"{"":1}"#, .object(["": .integer(1)])),
            (
                #"{"a":{"b":[null]} , "c" : "d"}"#,
                .object(["a": .object(["b": .array([.null])]), "c": .string("d")])
            ),
        ] as [(String, JSONValue)])
    func valid(text: String, value: JSONValue) throws {
        #expect(try StrictJSON.decode(JSONValue.self, from: Array(text.utf8)) == value)
    }

    @Test("minus zero keeps its sign as a double")
    func minusZero() throws {
        #expect(try StrictJSON.decode(Double.self, from: Array("-0".utf8)).sign == .minus)
        #expect(try StrictJSON.decode(Int.self, from: Array("-0".utf8)) == 0)
    }

    @Test(
        "invalid JSON is malformed",
        arguments: [
            "", " ", "\n\t", "nul", "nulll", "NULL", "True", "tru", "truth", "undefined", "NaN", "Infinity",
            "-Infinity",
            "-", "+1", "01", "-01", "00", "1.", ".5", "1.e1", "1e", "1e+", "1E-", "1.5.5", "0x10", "1_000", "1,", "--1",
            "1 2", "1e1.5", "- 1", "１", "\"", "\"a", "'a'", "\"\\\"", "\"\\", #""\x41""#, #""\u12""#, #""\u12G4""#,
            #""\u""#, #""\U0041""#, "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "\"\\\u{0}\"", "\"\u{1F}\"", "[", "]", "[1",
            "[1,",
            "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "[1]]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
            "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\",1}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1 \"b\":2}",
            "{\"a\"::1}",
            "{null:1}", "{\"a\":1]", "{} {}", "{}x", "[]//", "/* a */ 1", "# a\n1", "\u{FEFF}{}", "\u{A0}1", "1\u{0}",
            "\u{0}", "\u{B}1", "*", "<null>", "\\u007b\\u007d", "nan", "1e5x", "[\"a\": 1]", "\"a\",", "é",
        ])
    func invalid(text: String) {
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: Array(text.utf8)) })
    }

    @Test(
        "an unpaired surrogate is malformed",
        arguments: [
            #""\ud800""#, #""\udc00""#, #""\ud83d\u0041""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ude00\ud83d""#,
            #""\ud83d\ud83d""#, #""\ud83d\""#, #""\ud83d\u""#, #"{"\ud800":1}"#,
        ])
    func surrogates(text: String) {
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: Array(text.utf8)) })
    }

    @Test(
        "invalid UTF-8 is malformed, in strings, keys and elsewhere",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xF8, 0x88, 0x80, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0xFF], [0xC3, 0xA9], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
            [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], [0xEF, 0xBB, 0xBF, 0x31], [0xFE, 0xFF, 0x00, 0x31],
        ] as [[UInt8]])
    func utf8(bytes: [UInt8]) {
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: bytes) })
    }

    @Test(
        "a duplicate key is malformed",
        arguments: [
            #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"b":{"a":1,"c":0,"a":1}}"#, #"[{"":1,"":1}]"#,
        ])
    func duplicates(text: String) {
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: Array(text.utf8)) })
    }

    @Test("a duplicate key is found among very many, and many keys are read")
    func manyKeys() throws {
        let members = (0..<50_000).map { "\"k\($0)\":\($0)" }
        let text = "{" + members.joined(separator: ",") + "}"
        #expect(try LenientJSON.decode([String: Int].self, from: Array(text.utf8)).count == 50_000)
        let twice = "{" + (members + ["\"k40000\":0"]).joined(separator: ",") + "}"
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: Array(twice.utf8)) })
        for count in 15...18 {
            let few = (0..<count).map { "\"k\($0)\":0" } + ["\"k3\":0"]
            #expect(
                malformed { try StrictJSON.decode(JSONValue.self, from: Array("{\(few.joined(separator: ","))}".utf8)) }
            )
        }
    }

    @Test("the problem names the duplicate key, and truncates a long one")
    func duplicateNamed() {
        let short = #expect(throws: Problem.self) {
            try StrictJSON.decode(JSONValue.self, from: Array(#"{"email":1,"email":2}"#.utf8))
        }
        #expect(short?.detail?.contains("\"email\"") == true)
        let key = String(repeating: "k", count: 100_000)
        let long = #expect(throws: Problem.self) {
            try StrictJSON.decode(JSONValue.self, from: Array("{\"\(key)\":1,\"\(key)\":2}".utf8))
        }
        #expect((long?.detail?.utf8.count ?? .max) < 200)
    }

    @Test("nesting of 64 is read, deeper is malformed, and a depth of 10,000 or a million does no harm")
    func nesting() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try StrictJSON.decode(JSONValue.self, from: nested(64))
        for depth in [65, 10_000, 1_000_000] {
            #expect(malformed { try StrictJSON.decode(JSONValue.self, from: nested(depth)) })
        }
        let objects = String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000)
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: Array(objects.utf8)) })
        let mixed = String(repeating: #"{"a":["#, count: 32) + String(repeating: "]}", count: 32)
        _ = try StrictJSON.decode(JSONValue.self, from: Array(mixed.utf8))
        let open = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(malformed { try StrictJSON.decode(JSONValue.self, from: open) })
    }

    @Test("no prefix of a document is a document, and truncation never traps")
    func cut() throws {
        let text = #"{"a":[1,-2.5e3,true,false,null],"b":{"c":"\u00e9\ud83d\ude00 é"},"d":"\\"}"#
        let bytes = Array(text.utf8)
        _ = try StrictJSON.decode(JSONValue.self, from: bytes)
        for end in bytes.indices {
            #expect(malformed { try StrictJSON.decode(JSONValue.self, from: bytes[..<end]) })
        }
    }

    @Test("any single byte inserted anywhere is either read or refused with a problem")
    func mutated() {
        let bytes = Array(#"{"a":[1,-2.5e3,true],"b":{"c":"\u00e9é"}}"#.utf8)
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = byte
                do {
                    _ = try StrictJSON.decode(JSONValue.self, from: changed)
                } catch {
                    #expect(error is Problem)
                }
            }
        }
    }

    @Test("any collection of bytes is read, including slices with another start index")
    func collections() throws {
        let bytes = Array("xx[1]yy".utf8)
        #expect(try StrictJSON.decode([Int].self, from: bytes[2..<5]) == [1])
        #expect(try StrictJSON.decode([Int].self, from: "[1]".utf8) == [1])
        #expect(try StrictJSON.decode([Int].self, from: bytes[2..<5].lazy.map { $0 }) == [1])
    }
}

/// Whether a closure throws the 400 of ``StrictJSON``.
func malformed(_ body: () throws -> some Any) -> Bool {
    do {
        _ = try body()
        return false
    } catch let problem as Problem {
        return problem.type == .malformed && problem.detail?.isEmpty == false
    } catch {
        return false
    }
}

/// The fields of the 422 that a closure throws; nil when it does not throw one.
func faults(_ body: () throws -> some Any) -> [Problem.Field]? {
    do {
        _ = try body()
        return nil
    } catch let problem as Problem {
        return problem.type == .invalid ? problem.errors : nil
    } catch {
        return nil
    }
}
