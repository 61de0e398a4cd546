import Foundation
import Postgres
import TestKit
import Testing

private struct Identifier: Codable, Equatable {
    var text: String
    init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A type that refuses values, with a reason.
private struct Even: Codable {
    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(text) is odd"))
    }
}

private enum Status: String, Codable { case open, closed }

private struct Address: Codable, Equatable {
    var street: String
    var lines: [String]
    var note: String?
}

private struct Person: Codable, Equatable {
    var id: UUID
    var key: Identifier
    var status: Status
    var age: Int
    var small: UInt8
    var ratio: Double
    var isActive: Bool
    var nickname: String?
    var tags: [String]
    var keys: [Identifier]
    var numbers: [Int]
    var address: Address
    var others: [Address]
    var createdAt: String
    var moment: Date
    var day: String
    var parent: Address?
}

@Suite("Decoding of rows") struct RowDecodingTests {
    private let statement: SQL = """
        select '00000000-0000-7000-8000-000000000001'::uuid as id, 'k-1' as key, 'open' as status, 42 as age, 7 as small,
            1.5::numeric as ratio, true as "isActive", null::text as nickname, array['a', 'b,c'] as tags,
            array['k-1', 'k-2'] as keys, array[1, 2] as numbers,
            jsonb_build_object('street', 'Rue "X"', 'lines', jsonb_build_array('1', '2')) as address,
            json_build_array(json_build_object('street', 's', 'lines', json_build_array(), 'note', 'n')) as others,
            '2026-11-22 23:14:16.123456+00'::timestamptz as "createdAt", '2026-11-22 23:14:16+00'::timestamptz as moment,
            '2026-11-22'::date as day
        """

    @Test("a row becomes a value: scalars, wrappers, arrays and nested JSON")
    func decoding() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let person = try #require(try await client.query(statement).decode(Person.self).first)
                #expect(person.id.uuidString.lowercased() == "00000000-0000-7000-8000-000000000001")
                #expect(person.key.text == "k-1")
                #expect(person.status == .open)
                #expect(person.age == 42 && person.small == 7 && person.ratio == 1.5 && person.isActive)
                #expect(person.nickname == nil && person.parent == nil)
                #expect(person.tags == ["a", "b,c"])
                #expect(person.keys.map(\.text) == ["k-1", "k-2"])
                #expect(person.numbers == [1, 2])
                #expect(person.address == Address(street: "Rue \"X\"", lines: ["1", "2"], note: nil))
                #expect(person.others == [Address(street: "s", lines: [], note: "n")])
                #expect(person.createdAt == "2026-11-22T23:14:16.123456Z")
                #expect(person.moment.timeIntervalSince1970 == 1_795_389_256)
                #expect(person.day == "2026-11-22")
                let count = try #require(try await client.first("select count(*) as count"))
                #expect(try count.decode(Int.self) == 1)
            }
        }
    }

    @Test("a value refused by its type is reported by column and type, without the value")
    func refusals() async throws {
        struct Wrong: Decodable { var secret: Even }
        struct Missing: Decodable { var absent: String }
        struct Nested: Decodable { var address: Address }
        try await withDatabase { database in
            try await database.withClient { client in
                let row = try #require(
                    try await client.first(
                        "select 'value-99' as secret, '{\"street\": \"value-99\"}'::jsonb as address"))
                let refused = try #require(throws: PostgresError.self) { try row.decode(Wrong.self) }
                #expect(refused.column == "secret" && !"\(refused)".contains("value-99"))
                let missing = try #require(throws: PostgresError.self) { try row.decode(Missing.self) }
                #expect(missing.column == "absent")
                let nested = try #require(throws: PostgresError.self) { try row.decode(Nested.self) }
                #expect(nested.column == "address" && !"\(nested)".contains("value-99"))
            }
        }
    }

    @Test("JSON written from the server's bytes equals JSON made from values")
    func json() async throws {
        struct Item: Codable, Equatable {
            var id: Int
            var text: String
            var maybe: String?
            var flag: Bool
            var amount: Double
            var at: String
            var day: String
            var tags: [String]
            var ids: [UUID]
            var ranks: [Int]
            var data: [String: [String]]
        }
        let naughty = [
            "", "\"", "\\", "\\\"", "/", "a\u{08}\u{0C}\n\r\tb", "\u{01}\u{1F}\u{7F}\u{80}", "é€🇫🇷👩‍👩‍👧", "\u{2028}\u{2029}",
            "</script>", "\u{FEFF}", "\u{202E}abc", "e\u{0301}", "{\"a\":1}", "\\u0041", "NULL",
            String(repeating: "\"", count: 999),
        ]
        try await withDatabase { database in
            try await database.withClient { client in
                let rows = try await client.query(
                    """
                    select ordinality::int as id, text, nullif(text, '') as maybe, ordinality % 2 = 0 as flag,
                        ordinality / 4.0::float8 as amount, '2026-11-22 23:14:16.5+00'::timestamptz as at, '2026-11-22'::date as day,
                        array[text, 'x'] as tags, array['00000000-0000-7000-8000-000000000001'::uuid] as ids,
                        array[1, -2] as ranks, jsonb_build_object('k', jsonb_build_array(text)) as data, 'hidden' as "_cursor"
                    from unnest(\(naughty)) with ordinality as naughty (text) order by ordinality
                    """)
                #expect(rows.count == naughty.count)
                var bytes: [UInt8] = []
                rows.writeJSONArray(range: 0..<rows.count, into: &bytes)
                let read = try JSONDecoder().decode([Item].self, from: Data(bytes))
                #expect(read.map(\.text) == naughty)
                #expect(try read == rows.decode(Item.self))
                #expect(!String(decoding: bytes, as: UTF8.self).contains("hidden"))
                #expect(read[0].maybe == nil)
                // Byte for byte what JSONSerialization understands, including keys.
                var one: [UInt8] = []
                rows.writeJSON(row: 3, into: &one)
                let object = try #require(try JSONSerialization.jsonObject(with: Data(one)) as? [String: Any])
                #expect(object["text"] as? String == naughty[3])
                #expect(object["_cursor"] == nil)
                let special = try await client.query(
                    """
                    select 'NaN'::float8 as a, array[array[1, 2], array[3, 4]] as b, '-infinity'::timestamptz as c, array[null, 't']::text[] as d,
                        '{}'::int[] as e
                    """)
                var text: [UInt8] = []
                special.writeJSON(row: 0, into: &text)
                #expect(
                    String(decoding: text, as: UTF8.self)
                        == #"{"a":"NaN","b":"{{1,2},{3,4}}","c":"-infinity","d":[null,"t"],"e":[]}"#)
            }
        }
    }

    @Test("each byte that needs an escape gets it, at every position in a text of any length")
    func escapes() throws {
        for length in 0...40 {
            for position in 0..<max(1, length) {
                for special in ["\"", "\\", "\u{1F}", "\u{0}", "\u{7F}", "é", " ", "!", "#", "["] {
                    var text = String(repeating: "x", count: length)
                    let place = text.index(text.startIndex, offsetBy: position)
                    text.replaceSubrange(place..<(length == 0 ? place : text.index(after: place)), with: special)
                    var bytes: [UInt8] = []
                    JSONText.writeString(text, into: &bytes)
                    #expect(try JSONDecoder().decode(String.self, from: Data(bytes)) == text)
                    #expect(bytes.filter { $0 < 0x20 }.isEmpty)
                }
            }
        }
    }

    @Test("a column _document is the whole object, in responses and in values")
    func documents() async throws {
        struct Item: Decodable, Equatable {
            var name: String
        }
        try await withDatabase { database in
            try await database.withClient { client in
                let rows = try await client.query(
                    """
                    select 7 as version, json_build_object('name', name) as "_document", name as "_key"
                    from unnest(array['a', 'b']) as of (name)
                    """)
                #expect(try rows.decode(Item.self) == [Item(name: "a"), Item(name: "b")])
                #expect(try rows[1].decode(Item.self) == Item(name: "b"))
                var bytes: [UInt8] = []
                rows.writeJSONLines(range: 0..<2, into: &bytes)
                #expect(String(decoding: bytes, as: UTF8.self) == "{\"name\" : \"a\"}\n{\"name\" : \"b\"}\n")
                bytes = []
                rows.writeJSONArray(range: 0..<2, into: &bytes)
                #expect(String(decoding: bytes, as: UTF8.self) == "[{\"name\" : \"a\"},{\"name\" : \"b\"}]")
            }
        }
    }
}
