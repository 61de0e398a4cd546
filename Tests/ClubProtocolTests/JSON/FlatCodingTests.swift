import ClubProtocol
import HTTPTypes
import Testing

private enum Kind: String, Codable, CaseIterable { case talk, workshop }

private struct Query: Codable, Equatable {
    var kind: Kind?
    var kinds: [Kind]?
    var departement: [Departement] = []
    var q: String?
    var open: Bool?
    var year: Int?
    var ratio: Double?
    var since: Timestamp?
    var limit: PageLimit?
    var cursor: Cursor?
}

private struct Needed: Codable, Equatable { var siren: Siren }
private struct Wide: Codable, Equatable {
    var small: UInt8?
    var large: UInt64?
}

@Suite("Queries")
struct QueryTests {
    private func decode(_ query: String?) throws -> Query { try FlatCoding.decodeQuery(Query.self, from: query) }

    private func fault(_ query: String) -> Problem.Field? { faults { try decode(query) }?.first }

    @Test("a query is read in any order and decoded, with several values where allowed")
    func whole() throws {
        let text =
            "departement=64&q=caf%C3%A9+noir%2B&kinds=talk&open=true&year=-5&ratio=1.5e1&limit=200&departement=2A&kind=talk"
            + "&kinds=workshop&since=2027-03-14T09%3A30%3A00%2B01%3A00&cursor=abc"
        let query = try decode(text)
        #expect(query.departement == ["64", "2A"])
        #expect(query.q == "café noir+")
        #expect(query.kinds == [.talk, .workshop])
        #expect(query.open == true && query.year == -5 && query.ratio == 15 && query.limit?.value == 200)
        #expect(query.since?.text == "2027-03-14T08:30:00Z")
        #expect(query.cursor?.text == "abc")
        #expect(try decode(FlatCoding.encodeQuery(query)) == query)
    }

    @Test("an empty query is accepted", arguments: [nil, "", "&", "&&"])
    func nothing(text: String?) throws {
        #expect(try decode(text) == Query())
    }

    @Test(
        "an unknown parameter is a 400 that names it, even beside a wrong value",
        arguments: ["colour=red", "limit=10&colour=red", "limit=0&colour=red", "colour", "colour=red&colour=blue"])
    func unknown(text: String) {
        let problem = #expect(throws: Problem.self) { try decode(text) }
        #expect(problem?.type == .malformed)
        #expect(problem?.detail?.contains("\"colour\"") == true)
    }

    @Test(
        "a parameter spelt differently is unknown",
        arguments: ["Limit=1", "limit%00=1", "=1", "limi\u{74}\u{301}=1", "\u{212A}ind=talk"])
    func spelling(text: String) {
        #expect(malformed { try decode(text) })
    }

    @Test("the parameters of two types are one query, and an unknown one is a 400 beside a wrong value of either")
    func combined() throws {
        typealias Whole = Paged<Combined<Needed, Wide>>
        let text = "cursor=abc&large=7&limit=3&siren=732829320"
        let query = try FlatCoding.decodeQuery(Whole.self, from: text)
        #expect(query.siren == "732829320" && query.large == 7 && query.small == nil)
        #expect(query.limit?.value == 3 && query.paging.cursor?.text == "abc")
        #expect(try FlatCoding.encodeQuery(query) == text)
        #expect(try FlatCoding.encodeQuery(Paged<Empty>(limit: 3)) == "limit=3")
        for wrong in ["", "siren=1", "siren=732829320&large=x", "siren=732829320&limit=0"] {
            #expect(malformed { try FlatCoding.decodeQuery(Whole.self, from: "colour=red&\(wrong)") }, "\(wrong)")
            let problem = #expect(throws: Problem.self) { try FlatCoding.decodeQuery(Whole.self, from: wrong) }
            #expect(problem?.type == .invalid, "\(wrong)")
        }
    }

    @Test("an operation without parameters refuses every one")
    func empty() throws {
        #expect(try FlatCoding.decodeQuery(Empty.self, from: nil) == Empty())
        #expect(malformed { try FlatCoding.decodeQuery(Empty.self, from: "a=1") })
    }

    @Test(
        "a single-valued parameter given twice is a 400 that names it",
        arguments: [
            ("limit=1&limit=1", "limit"), ("q=a&q=b", "q"), ("kind=talk&kind=talk", "kind"), ("year=1&year=2", "year"),
            ("open=true&open=true", "open"), ("cursor=a&cursor=a", "cursor"), ("%71=a&q=b", "q"),
        ])
    func twice(text: String, name: String) {
        let problem = #expect(throws: Problem.self) { try decode(text) }
        #expect(problem?.type == .malformed)
        #expect(problem?.detail?.contains("\"\(name)\"") == true)
    }

    @Test(
        "invalid percent-encoded UTF-8 is a 400",
        arguments: ["q=%", "q=%4", "q=%GG", "q=%FF", "q=%C3", "%=1", "q=%ED%A0%80"])
    func encoding(text: String) {
        #expect(malformed { try decode(text) })
    }

    @Test(
        "a wrong value is a 422 naming the parameter",
        arguments: [
            ("limit=0", "limit", "must be between 1 and 200"), ("limit=-1", "limit", "must be between 1 and 200"),
            ("limit=201", "limit", "must be between 1 and 200"), ("limit=1e9", "limit", "must be an integer"),
            ("limit=1000000000", "limit", "must be between 1 and 200"),
            ("limit=99999999999999999999", "limit", "is out of range"), ("limit=", "limit", "must be an integer"),
            ("limit", "limit", "must be an integer"), ("limit=%2B5", "limit", "must be an integer"),
            ("limit=5+", "limit", "must be an integer"), ("year=1.5", "year", "must be an integer"),
            ("year=-", "year", "must be an integer"), ("kind=party", "kind", "must be one of talk, workshop"),
            ("kind=", "kind", "must be one of talk, workshop"),
            ("kinds=talk&kinds=party", "kinds", "must be one of talk, workshop"),
            ("departement=20", "departement", "is not a valid département code"),
            ("open=1", "open", "must be true or false"),
            ("open=TRUE", "open", "must be true or false"), ("ratio=NaN", "ratio", "must be a number"),
            ("ratio=0x1p3", "ratio", "must be a number"), ("ratio=1e999", "ratio", "is out of range"),
            ("ratio=inf", "ratio", "must be a number"), ("ratio=%22a%22", "ratio", "must be a number"),
            ("since=yesterday", "since", "is not a valid RFC 3339 timestamp"),
            ("q=a%00b", "q", "has the character U+0000"),
        ])
    func wrong(text: String, name: String, detail: String) {
        #expect(fault(text) == Problem.Field(name, detail))
    }

    @Test("a text that cannot be a cursor is a 400, as a forged one is")
    func cursor() {
        #expect(malformed { try decode("cursor=") })
        #expect(malformed { try decode("cursor=" + String(repeating: "a", count: 3000)) })
    }

    @Test("a missing required parameter is named")
    func missing() throws {
        #expect(try FlatCoding.decodeQuery(Needed.self, from: "siren=732829320") == Needed(siren: "732829320"))
        #expect(faults { try FlatCoding.decodeQuery(Needed.self, from: "") } == [Problem.Field("siren", "is missing")])
    }

    @Test("integers of other widths keep within their range")
    func widths() throws {
        let wide = try FlatCoding.decodeQuery(Wide.self, from: "small=255&large=18446744073709551615")
        #expect(wide == Wide(small: 255, large: .max))
        #expect(try FlatCoding.encodeQuery(wide) == "large=18446744073709551615&small=255")
        #expect(
            faults { try FlatCoding.decodeQuery(Wide.self, from: "small=256") } == [
                Problem.Field("small", "is out of range")
            ])
    }

    @Test("a query is written with sorted names and all reserved characters encoded")
    func written() throws {
        #expect(try FlatCoding.encodeQuery(Empty()) == "")
        #expect(try FlatCoding.encodeQuery(Query()) == "")
        let query = Query(kinds: [.workshop, .talk], q: "é&=+ %/?#~-._", open: false, limit: 20)
        #expect(
            try FlatCoding.encodeQuery(query)
                == "kinds=workshop&kinds=talk&limit=20&open=false&q=%C3%A9%26%3D%2B%20%25%2F%3F%23~-._")
        #expect(try decode(FlatCoding.encodeQuery(query)) == query)
    }

    @Test("a value without a flat form cannot be written")
    func nested() {
        struct Nested: Codable { var price = Money(cents: 1) }
        struct Deep: Codable { var rows = [[1]] }
        #expect(throws: EncodingError.self) { try FlatCoding.encodeQuery(Nested()) }
        #expect(throws: EncodingError.self) { try FlatCoding.encodeQuery(Deep()) }
        #expect(throws: EncodingError.self) { try FlatCoding.encodeQuery("text") }
        #expect(throws: EncodingError.self) { try FlatCoding.encodeQuery([1]) }
    }
}

@Suite("Paths")
struct PathTests {
    private struct Path: PathVariables, Equatable {
        var event: Identifier<PathTests>
        var number: Int
    }

    private let operation = Operation(
        .get, "/v1/events/{event}/seats/{number}", "A seat.", access: .anyone)
    private let id = "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"

    @Test("the variables of a path are read and written")
    func roundTrip() throws {
        let path = try FlatCoding.decodePath(Path.self, names: ["event", "number"], values: [id, "7"])
        #expect(path.event.text == id)
        #expect(path.number == 7)
        #expect(try FlatCoding.path(of: operation, with: path) == "/v1/events/\(id)/seats/7")
        #expect(try FlatCoding.decodePath(Empty.self, names: [], values: []) == Empty())
        let plain = Operation(.get, "/v1/events", "Events.", access: .anyone)
        #expect(try FlatCoding.path(of: plain, with: Empty()) == "/v1/events")
    }

    @Test(
        "a variable that its type refuses is not found",
        arguments: [
            ["event": "x", "number": "7"], ["event": "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11", "number": "seven"],
            ["number": "7"], ["event": "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11\0", "number": "7"],
            ["event": "", "number": "7"],
            ["event": "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11", "number": "7", "more": "1"],
            ["event": "../", "number": "7"],
        ])
    func notFound(variables: [String: String]) {
        let problem = #expect(throws: Problem.self) {
            try FlatCoding.decodePath(Path.self, names: Array(variables.keys), values: Array(variables.values))
        }
        #expect(problem?.type == .notFound)
        #expect(problem?.errors.isEmpty == true)
    }

    @Test("an only variable is the value itself")
    func single() throws {
        typealias Event = Identifier<PathTests>
        let operation = Operation(.get, "/v1/events/{event}", "An event.", access: .anyone)
        let event = try FlatCoding.decodePath(Event.self, names: operation.variables, values: [id])
        #expect(event.text == id)
        #expect(try FlatCoding.path(of: operation, with: event) == "/v1/events/\(id)")
        let job = Operation(.get, "/v1/jobs/{job}", "A job.", access: .anyone)
        #expect(try FlatCoding.decodePath(Int64.self, names: job.variables, values: ["-7"]) == -7)
        #expect(try FlatCoding.path(of: job, with: Int64(7)) == "/v1/jobs/7")
        #expect(try FlatCoding.decodePath(Line.self, names: ["rule"], values: [" a  b "]) == "a b")
        // More or fewer variables than one.
        #expect(throws: EncodingError.self) { try FlatCoding.path(of: self.operation, with: event) }
        #expect(throws: Problem.self) { try FlatCoding.decodePath(Event.self, names: [], values: []) }
        #expect(throws: Problem.self) { try FlatCoding.decodePath(Event.self, names: ["a", "b"], values: [id, id]) }
        #expect(throws: Problem.self) { try FlatCoding.decodePath(Empty.self, names: ["event"], values: [id]) }
    }

    @Test(
        "an only variable that its type refuses is not found",
        arguments: ["", "x", "1\0", "1.0", "+1", "9223372036854775808"])
    func singleNotFound(text: String) {
        let problem = #expect(throws: Problem.self) {
            try FlatCoding.decodePath(Int64.self, names: ["job"], values: [text])
        }
        #expect(problem?.type == .notFound)
        #expect(throws: Problem.self) {
            try FlatCoding.decodePath(Identifier<PathTests>.self, names: ["event"], values: [text])
        }
    }

    @Test("an only variable without bounds has no U+0000 and no long run of marks")
    func singleText() {
        for text in ["a\0", "a" + String(repeating: "\u{301}", count: 31)] {
            let problem = #expect(throws: Problem.self) {
                try FlatCoding.decodePath(String.self, names: ["token"], values: [text])
            }
            #expect(problem?.type == .notFound)
        }
    }

    @Test("a variable is read unchanged and written percent-encoded")
    func encoded() throws {
        #expect(try FlatCoding.decodePath(String.self, names: ["token"], values: ["a/b+c%25"]) == "a/b+c%25")
        let operation = Operation(.get, "/v1/tokens/{token}", "A token.", access: .anyone)
        #expect(try FlatCoding.path(of: operation, with: "a/b é?") == "/v1/tokens/a%2Fb%20%C3%A9%3F")
    }

    @Test("a value that would change the path is not written", arguments: ["", ".", ".."])
    func escape(text: String) {
        let operation = Operation(.get, "/v1/tokens/{token}", "A token.", access: .anyone)
        #expect(throws: EncodingError.self) { try FlatCoding.path(of: operation, with: text) }
        #expect(throws: EncodingError.self) { try FlatCoding.path(of: operation, with: Empty()) }
    }
}
