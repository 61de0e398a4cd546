import ClubProtocol
import TestKit
import Testing

/// Limits of one document apart from its size in bytes.
@Suite("the limits of a document", .serialized)
struct JSONLimitTests {
    private func keys(_ count: Int) -> String { (0..<count).map { "\"k\($0)\":1" }.joined(separator: ",") }

    private func read<T: Decodable>(_ type: T.Type, _ json: String) -> [Problem.Field]? {
        faults { try StrictJSON.decode(type, from: Array(json.utf8)) }
    }

    @Test("an object with 256 keys is read, a larger one is refused at its pointer")
    func members() {
        #expect(read([String: Int].self, "{\(keys(256))}") == nil)
        #expect(read([String: Int].self, "{\(keys(257))}") == [.init("", "has more than 256 keys")])
        for json in [
            #"{"familyName":"A","consents":{\#(keys(257))}}"#, #"{"consents":{\#(keys(257)),broken"#,
        ] {
            #expect(read(CreatePerson.Body.self, json) == [.init("/consents", "has more than 256 keys")])
        }
        #expect(
            read(MergeRecords.Body.self, #"{"choices":{"a":{"b/c":[0,{\#(keys(257))}]}}}"#)?.map(\.pointer)
                == ["/choices/a/b~1c/1"])
    }

    @Test("a list of 1,000 elements is read, a longer one is refused at its pointer")
    func elements() {
        func list(_ count: Int) -> String { "[\(Array(repeating: "1", count: count).joined(separator: ","))]" }
        #expect(read([Int].self, list(1000)) == nil)
        #expect(read([Int].self, list(1001)) == [.init("", "are more than 1000")])
        #expect(read(CreatePerson.Body.self, #"{"nobody":\#(list(1001))}"#) == [.init("/nobody", "are more than 1000")])
        // 1 for the document, 1,001 for each of nine lists, 1 for the tenth: 989 of its elements are left.
        let many = "[\(Array(repeating: list(1000), count: 20).joined(separator: ","))]"
        #expect(
            read([[Int]].self, many)
                == [.init("/9/989", "exceeds the 10000 values that a document may have")])
    }

    @Test("responses of peers, and documents that are never sent to a service, may be larger")
    func documents() throws {
        let page = "[\(Array(repeating: "{\(keys(300))}", count: 200).joined(separator: ","))]"
        #expect(try LenientJSON.decode([[String: Int]].self, from: Array(page.utf8)).count == 200)
        #expect(try StrictJSON.decode(JSONValue.self, from: Array(page.utf8)).array?.count == 200)
        let long = "[\(Array(repeating: "1", count: 999_999).joined(separator: ","))]"
        #expect(try LenientJSON.decode([Int].self, from: Array(long.utf8)).count == 999_999)
        let longer = "[\(Array(repeating: "1", count: 1_000_000).joined(separator: ","))]"
        let refused = #expect(throws: UnreadableJSON.self) {
            try LenientJSON.decode([Int].self, from: Array(longer.utf8))
        }
        #expect(refused?.pointer == "/999999")
    }

    @Test("a megabyte of keys, brackets or numbers costs no more than one of text")
    func cost() {
        let size = 1 << 20
        func filled(_ begin: String, _ piece: (Int) -> String, _ end: String) -> [UInt8] {
            var bytes = Array(begin.utf8)
            var index = 0
            while bytes.count < size {
                bytes += (index == 0 ? "" : ",").utf8
                bytes += piece(index).utf8
                index += 1
            }
            return bytes + end.utf8
        }
        let valid =
            #"{"kind":"person","survivor":"01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11","#
            + #""merged":"01930f2e-7c50-7b3a-9f53-2f6d1c0a4e12","choices":{"#
        let nest = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        let shapes: [(String, [UInt8])] = [
            ("keys", filled("{", { "\"\(String($0, radix: 36))\":1" }, "}")),
            ("keys of a field", filled(#"{"note":{"#, { "\"\(String($0, radix: 36))\":1" }, "}}")),
            ("choices", filled(valid, { "\"\(String($0, radix: 36))\":\"merged\"" }, "}}")),
            ("nests", filled(#"{"note":["#, { _ in nest }, "]}")),
            ("numbers", filled("[", { _ in "1" }, "]")),
            (
                "lists of lists",
                filled("[", { _ in "[\(Array(repeating: "1", count: 999).joined(separator: ","))]" }, "]")
            ),
            ("objects", filled("[", { _ in #"{"a":{},"b":{}}"# }, "]")),
        ]
        let text = Array("{\"note\":\"\(String(repeating: "a", count: size))\"}".utf8)
        func cost(_ bytes: [UInt8]) -> Double {
            TextCost.nanoseconds {
                _ = try? StrictJSON.decode(CreatePerson.Body.self, from: bytes)
                _ = try? StrictJSON.decode(MergeRecords.Body.self, from: bytes)
            }
        }
        let known = max(cost(text), 100_000)
        for (name, bytes) in shapes {
            let ratio = cost(bytes) / known
            #expect(ratio <= TextCost.limit, "\(name): \(ratio) times a text")
        }
    }
}
