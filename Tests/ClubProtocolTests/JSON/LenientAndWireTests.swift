import ClubProtocol
import Testing

private struct Answer: Codable, Equatable {
    enum State: String, Codable, CaseIterable { case open, closed }
    struct Inner: Codable, Equatable { var a: Int }
    var id: Identifier<Answer>
    var state: State
    var note: String?
    var inner: Inner?
}

@Suite("Lenient decoding")
struct LenientJSONTests {
    private let id = "01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"

    @Test("unknown keys are ignored, and null may stand for absent")
    func lenient() throws {
        let text = #"{"id":"\#(id)","state":"open","later":[1],"note":null,"inner":{"a":1,"b":2}}"#
        let answer = try LenientJSON.decode(Answer.self, from: Array(text.utf8))
        #expect(answer == Answer(id: try Identifier(validating: id), state: .open, inner: .init(a: 1)))
        _ = try LenientJSON.decode(Empty.self, from: Array(#"{"a":1}"#.utf8))
    }

    @Test("invalid JSON is reported with its location, but never as a problem of our caller")
    func unreadable() {
        let state = #expect(throws: UnreadableJSON.self) {
            try LenientJSON.decode(Answer.self, from: Array(#"{"id":"\#(id)","state":"gone"}"#.utf8))
        }
        #expect(state?.pointer == "/state")
        #expect(state?.description == "/state must be one of open, closed")
        let cut = #expect(throws: UnreadableJSON.self) { try LenientJSON.decode(Answer.self, from: Array("{".utf8)) }
        #expect(cut?.pointer == "")
        #expect(throws: UnreadableJSON.self) {
            try LenientJSON.decode(Answer.self, from: Array(#"{"id":"\#(id)","id":"\#(id)","state":"open"}"#.utf8))
        }
    }

    @Test("a patch is read as strictly as ever: null clears")
    func patch() throws {
        struct Patch: Codable { var note: Patched<String> }
        #expect(try LenientJSON.decode(Patch.self, from: Array(#"{"note":null}"#.utf8)).note == .some(nil))
    }

    @Test("a problem document, a page and a batch of changes survive encoding and decoding")
    func wholes() throws {
        let document = ProblemDocument(.invalid("/a", "is missing"), requestID: "r")
        #expect(try LenientJSON.decode(ProblemDocument.self, from: WireJSON.encode(document)) == document)
        #expect(document.slug == "invalid")
        #expect(document.status == 422)

        let page = Page(items: [Answer(id: Identifier(), state: .closed, note: "n")], next: try Cursor(validating: "c"))
        #expect(try LenientJSON.decode(Page<Answer>.self, from: WireJSON.encode(page)) == page)

        let change = Change(
            cursor: try Cursor(validating: "1.2"), entity: .person, id: id, action: .erased, version: 3,
            at: Timestamp(microseconds: 1), data: .object(["a": .array([.integer(1), .number(1.5), .null])]))
        let batch = ChangeBatch(items: [change], next: change.cursor)
        let read = try LenientJSON.decode(ChangeBatch.self, from: WireJSON.encode(batch))
        #expect(read.items.first?.data == change.data)
        #expect(read.items.first?.at == change.at)
        #expect(try #require(change.data).decoded(as: [String: JSONValue].self)["a"]?.array?.count == 3)
    }
}

@Suite("Writing JSON")
struct WireJSONTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try WireJSON.encode(value), as: UTF8.self)
    }

    @Test("keys are sorted, slashes are not escaped, absent values have no key")
    func format() throws {
        struct Sample: Codable {
            var url: WebAddress = "https://example.org/a"
            var name: Line = "é \"x\""
            var absent: Int?
            var day: Day = "2027-03-14"
        }
        #expect(try text(Sample()) == #"{"day":"2027-03-14","name":"é \"x\"","url":"https://example.org/a"}"#)
        #expect(try text(Empty()) == "{}")
        #expect(try text(Money(cents: 120_000)) == #"{"amount":120000,"currency":"EUR"}"#)
        #expect(try text(JSONValue.object(["b": .null, "a": .number(0.1)])) == #"{"a":0.1,"b":null}"#)
        #expect(try text(PageLimit.standard) == "50")
    }

    @Test("a number that JSON cannot write is an error")
    func infinite() {
        #expect(throws: EncodingError.self) { try WireJSON.encode([Double.infinity]) }
        #expect(throws: EncodingError.self) { try WireJSON.encode([Double.nan]) }
    }
}
