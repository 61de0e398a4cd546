import ClubProtocol
import Testing

private struct Session: Codable, Equatable {
    enum Kind: String, Codable, CaseIterable { case talk, workshop, lunch }
    var title: Line
    var kind: Kind
    var seats: Int?
}

private struct Body: Codable, Equatable {
    var name: Line
    var sessions: [Session]
    var note: Prose?
    var price: Money?
    var siren: Siren?
    var open: Bool?
    var weight: Double?
    var labels: [String: Int]?
    var extra: JSONValue?
}

private struct Patch: Codable, Equatable {
    var name: Line?
    var note: Patched<Prose>
    var seats: Patched<Int>
    var kind: Patched<Session.Kind>
    var tags: Patched<[String]>
}

private struct Numbers: Codable, Equatable {
    var int8: Int8?
    var uint8: UInt8?
    var int16: Int16?
    var uint16: UInt16?
    var int32: Int32?
    var uint32: UInt32?
    var int64: Int64?
    var uint64: UInt64?
    var int: Int?
    var uint: UInt?
    var float: Float?
}

private struct Flattened: Decodable {
    enum Keys: String, CodingKey { case more }
    var empty: Flat
    var more: Int

    struct Flat: Codable { var a: Int }

    init(from decoder: any Decoder) throws {
        empty = try Flat(from: decoder)
        more = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .more)
    }
}

@Suite("Strict decoding")
struct StrictDecodingTests {
    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try StrictJSON.decode(type, from: Array(text.utf8))
    }

    private func fault<T: Decodable>(_ type: T.Type, _ text: String) -> Problem.Field? {
        let found = faults { try decode(type, text) }
        return found?.count == 1 ? found?.first : nil
    }

    private let minimal = #"{"name":"n","sessions":[]"#

    @Test("a complete body is read")
    func whole() throws {
        let text = #"""
            {"name": "Rencontre", "sessions": [{"title": "Ouverture", "kind": "talk", "seats": 40},
             {"kind": "lunch", "title": "Déjeuner"}], "note": "Deux\nlignes", "price": {"amount": 1200, "currency": "EUR"},
             "siren": "732829320", "open": true, "weight": 2, "labels": {"a": 1, "b c": 2}, "extra": {"x": [null]}}
            """#
        let body = try decode(Body.self, text)
        #expect(body.name == "Rencontre")
        #expect(
            body.sessions == [
                Session(title: "Ouverture", kind: .talk, seats: 40), Session(title: "Déjeuner", kind: .lunch),
            ])
        #expect(body.note == "Deux\nlignes")
        #expect(body.price == Money(cents: 1200))
        #expect(body.siren == "732829320")
        #expect(body.open == true)
        #expect(body.weight == 2)
        #expect(body.labels == ["a": 1, "b c": 2])
        #expect(body.extra == .object(["x": .array([.null])]))
        #expect(try StrictJSON.decode(Body.self, from: WireJSON.encode(body)) == body)
    }

    @Test(
        "an unknown key is named by its pointer, at every depth",
        arguments: [
            (#","role":"operator"}"#, "/role", "\"role\""),
            (#","price":{"amount":1,"currency":"EUR","cents":1}}"#, "/price/cents", "\"cents\""),
            (#","a/b~c":1}"#, "/a~1b~0c", "\"a/b~c\""), (#","Name":"n"}"#, "/Name", "\"Name\""),
            (#","":1}"#, "/", "\"\""),
            (",\"\u{212A}\":1}", "/\u{212A}", "\"\u{212A}\""),
        ])
    func unknown(rest: String, pointer: String, named: String) {
        let fault = fault(Body.self, minimal + rest)
        #expect(fault?.pointer == pointer)
        #expect(fault?.detail.contains(named) == true)
    }

    @Test("an unknown key in an array element is named with the element's index")
    func unknownInArray() {
        let text = #"{"name":"n","sessions":[{"title":"t","kind":"talk"},{"title":"t","kind":"talk","id":"1"}]}"#
        #expect(fault(Body.self, text)?.pointer == "/sessions/1/id")
    }

    @Test("all unknown keys are reported at once, with all other errors, but not thousands of them")
    func unknownTogether() {
        let both = faults { try decode(Body.self, #"{"id":1,"sessions":[],"createdAt":2}"#) }
        #expect(both?.map(\.pointer) == ["/name", "/id", "/createdAt"])
        let many = (0..<200).map { "\"x\($0)\":0" }.joined(separator: ",")
        #expect(faults { try decode(Empty.self, "{\(many)}") }?.count == 20)
    }

    @Test("a type without properties accepts an empty object and nothing else")
    func empty() throws {
        #expect(try decode(Empty.self, " {} ") == Empty())
        #expect(fault(Empty.self, #"{"id":1}"#)?.pointer == "/id")
        #expect(fault(Empty.self, "[]")?.detail == "must be an object")
        #expect(fault(Empty.self, "null")?.detail == "must not be null")
        #expect(malformed { try decode(Empty.self, "") })
    }

    @Test("a type that decodes itself from several sets of keys knows all of them")
    func flattened() throws {
        #expect(try decode(Flattened.self, #"{"a":1,"more":2}"#).more == 2)
        #expect(fault(Flattened.self, #"{"a":1,"more":2,"z":3}"#)?.pointer == "/z")
    }

    @Test(
        "a missing key is named",
        arguments: [
            (#"{"sessions":[]}"#, "/name"), (#"{"name":"n"}"#, "/sessions"), ("{}", "/name"),
            (#"{"name":"n","sessions":[{"kind":"talk"}]}"#, "/sessions/0/title"),
            (#"{"name":"n","sessions":[],"price":{"currency":"EUR"}}"#, "/price/amount"),
        ])
    func missing(text: String, pointer: String) {
        #expect(fault(Body.self, text) == Problem.Field(pointer, "is missing"))
    }

    @Test(
        "a wrong type is named with the expected one",
        arguments: [
            (#"{"name":1,"sessions":[]}"#, "/name", "must be a string"),
            (#"{"name":true,"sessions":[]}"#, "/name", "must be a string"),
            (#"{"name":["n"],"sessions":[]}"#, "/name", "must be a string"),
            (#"{"name":"n","sessions":{}}"#, "/sessions", "must be an array"),
            (#"{"name":"n","sessions":"x"}"#, "/sessions", "must be an array"),
            (#"{"name":"n","sessions":[1]}"#, "/sessions/0", "must be an object"),
            (#"{"name":"n","sessions":[null]}"#, "/sessions/0", "must not be null"),
            (#"{"name":"n","sessions":[],"open":1}"#, "/open", "must be true or false"),
            (#"{"name":"n","sessions":[],"open":"true"}"#, "/open", "must be true or false"),
            (#"{"name":"n","sessions":[],"weight":"1"}"#, "/weight", "must be a number"),
            (#"{"name":"n","sessions":[],"price":12}"#, "/price", "must be an object"),
            (#"{"name":"n","sessions":[],"labels":{"a":"b"}}"#, "/labels/a", "must be an integer"),
            ("[]", "", "must be an object"), ("1", "", "must be an object"), ("null", "", "must not be null"),
        ])
    func wrongType(text: String, pointer: String, detail: String) {
        #expect(fault(Body.self, text) == Problem.Field(pointer, detail))
    }

    @Test("a null without meaning is refused, required or not")
    func null() {
        #expect(fault(Body.self, #"{"name":null,"sessions":[]}"#) == Problem.Field("/name", "must not be null"))
        for key in ["note", "price", "siren", "open", "weight", "labels"] {
            #expect(fault(Body.self, minimal + ",\"\(key)\":null}")?.pointer == "/\(key)")
        }
        #expect(fault(Numbers.self, #"{"uint16":null}"#)?.pointer == "/uint16")
    }

    @Test("a value of any JSON may be null")
    func anyNull() throws {
        #expect(try decode(Body.self, minimal + #","extra":null}"#).extra == .some(.null))
        #expect(try decode(Body.self, minimal + "}").extra == nil)
    }

    @Test("a patch distinguishes absent, null and a value, and encodes as it was read")
    func patch() throws {
        let none = try decode(Patch.self, "{}")
        #expect(none.note == nil && none.seats == nil && none.kind == nil && none.tags == nil)
        let cleared = try decode(Patch.self, #"{"note":null,"seats":null,"kind":null,"tags":null}"#)
        #expect(cleared.note == .some(nil))
        #expect(cleared.seats == .some(nil))
        #expect(cleared.kind == .some(nil))
        #expect(cleared.tags == .some(nil))
        let set = try decode(Patch.self, #"{"name":"n","note":"t","seats":3,"kind":"talk","tags":["a"]}"#)
        #expect(set.note == .some("t") && set.seats == .some(3) && set.kind == .some(.talk) && set.tags == .some(["a"]))
        for patch in [none, cleared, set] {
            #expect(try StrictJSON.decode(Patch.self, from: WireJSON.encode(patch)) == patch)
        }
        #expect(String(decoding: try WireJSON.encode(none), as: UTF8.self) == "{}")
        #expect(fault(Patch.self, #"{"name":null}"#)?.pointer == "/name")
        #expect(fault(Patch.self, #"{"note":""}"#) == Problem.Field("/note", "is empty"))
        #expect(fault(Patch.self, #"{"seats":1.5}"#) == Problem.Field("/seats", "must be an integer"))
        #expect(fault(Patch.self, #"{"kind":"party"}"#)?.detail.contains("workshop") == true)
    }

    @Test("an enumeration lists its values and does not repeat the invalid one")
    func enumeration() {
        let wrong = fault(Body.self, #"{"name":"n","sessions":[{"title":"t","kind":"secret"}]}"#)
        #expect(wrong == Problem.Field("/sessions/0/kind", "must be one of talk, workshop, lunch"))
        #expect(fault(Money.Currency.self, #""USD""#)?.detail == "must be one of EUR")
        #expect(fault(Session.Kind.self, "1")?.detail == "must be a string")
    }

    @Test(
        "a text that its type refuses is reported with the type's reason",
        arguments: [
            (#","siren":"732829321"}"#, "/siren", "is not a valid SIREN: the check digit is wrong"),
            (#","siren":"73282932"}"#, "/siren", "is not a valid SIREN (9 digits)"),
            (#","note":" "}"#, "/note", "is empty"),
            (#","note":"a\u0001b"}"#, "/note", "has a control character"),
            (#","note":"a\u202Eb"}"#, "/note", "has a bidirectional control character"),
        ])
    func refusedText(rest: String, pointer: String, detail: String) {
        #expect(fault(Body.self, minimal + rest) == Problem.Field(pointer, detail))
    }

    @Test("U+0000 is refused in every text")
    func zero() {
        #expect(fault(Body.self, #"{"name":"a\u0000b","sessions":[]}"#)?.pointer == "/name")
        #expect(fault(Patch.self, #"{"tags":["\u0000"]}"#)?.pointer == "/tags/0")
        #expect(fault(JSONValue.self, #"{"a":["\u0000"]}"#) != nil)
        #expect(fault(JSONValue.self, #"{"\u0000":1}"#) != nil)
    }

    @Test("a name of 10 MB is refused")
    func hugeName() {
        let text = #"{"name":""# + String(repeating: "é", count: 5_000_000) + #"","sessions":[]}"#
        #expect(fault(Body.self, text) == Problem.Field("/name", "is longer than 200 characters"))
    }

    // MARK: Numbers

    @Test(
        "an integer may be written in any form that JSON has",
        arguments: [
            ("0", 0), ("-0", 0), ("-0.0", 0), ("1.0", 1), ("1e2", 100), ("1.5e1", 15), ("150e-1", 15), ("-2E+3", -2000),
            ("0e999999999999999999999999", 0), ("0.000e-99999999999999999999", 0), ("9223372036854775807", Int.max),
            ("9223372036854775807.00", Int.max), ("-9.223372036854775808e18", Int.min),
            ("100000000000000000000e-2", 1_000_000_000_000_000_000),
        ])
    func integer(text: String, value: Int) throws {
        #expect(try decode(Int.self, text) == value)
    }

    @Test(
        "a fraction is not an integer, and one too large is out of range",
        arguments: [
            ("1.5", "must be an integer"), ("1e-1", "must be an integer"),
            ("0.0000000000000000000001", "must be an integer"),
            ("9007199254740993.5", "must be an integer"), ("1e-99999999999999999999", "must be an integer"),
            ("9223372036854775808", "is out of range"), ("-9223372036854775809", "is out of range"),
            ("1e400", "is out of range"), ("1e19", "is out of range"), ("1e99999999999999999999", "is out of range"),
            ("123456789012345678901234567890123456789012345678901234567890", "is out of range"),
            ("\"1\"", "must be an integer"), ("true", "must be an integer"),
        ])
    func noInteger(text: String, detail: String) {
        #expect(fault(Int.self, text)?.detail == detail)
    }

    @Test("integers of every width keep within their range")
    func widths() throws {
        let largest =
            #"{"int8":127,"uint8":255,"int16":32767,"uint16":65535,"int32":2147483647,"uint32":4294967295,"#
            + #""int64":9223372036854775807,"uint64":18446744073709551615,"int":-1,"uint":18446744073709551615,"float":1.5}"#
        let numbers = try decode(Numbers.self, largest)
        #expect(numbers.int8 == .max && numbers.uint8 == .max && numbers.int16 == .max && numbers.uint16 == .max)
        #expect(numbers.int32 == .max && numbers.uint32 == .max && numbers.int64 == .max && numbers.uint64 == .max)
        #expect(numbers.int == -1 && numbers.uint == .max && numbers.float == 1.5)
        for (key, value) in [
            ("int8", "128"), ("int8", "-129"), ("uint8", "256"), ("uint8", "-1"), ("int16", "32768"),
            ("uint16", "65536"),
            ("int32", "2147483648"), ("uint32", "4294967296"), ("int64", "9223372036854775808"),
            ("uint64", "18446744073709551616"), ("uint", "-1"), ("float", "1e39"),
        ] {
            #expect(fault(Numbers.self, "{\"\(key)\":\(value)}") == Problem.Field("/\(key)", "is out of range"))
        }
        #expect(fault(Numbers.self, #"{"uint8":1.5}"#)?.detail == "must be an integer")
    }

    @Test("a double is the nearest one, and never infinite")
    func doubles() throws {
        for text in ["0.1", "1e308", "5e-324", "-1.7976931348623157e308", "123456789.123456789", "9007199254740993"] {
            #expect(try decode(Double.self, text) == Double(text))
        }
        #expect(fault(Double.self, "1e309")?.detail == "is out of range")
        #expect(fault(Double.self, "-1e9999")?.detail == "is out of range")
        #expect(fault(JSONValue.self, "[1e309]")?.detail == "has a number that is out of range")
    }

    @Test("a page limit outside of 1 to 200 is refused in a body as well")
    func pageLimit() throws {
        #expect(try decode(PageLimit.self, "200").value == 200)
        #expect(fault(PageLimit.self, "0")?.detail == "must be between 1 and 200")
    }
}
