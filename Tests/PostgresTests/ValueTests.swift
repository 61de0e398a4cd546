import Foundation
import Postgres
import TestKit
import Testing

private enum Mood: String, PostgresEncodable, PostgresDecodable, Codable { case happy, sad }

@Suite("Values") struct ValueTests {
    /// Binds a value, has the server return it, and decodes it.
    private func roundTrip<T: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [T], _ client: PostgresClient, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let row = try #require(try await client.first("select \(value) as value"), sourceLocation: location)
            #expect(try row["value"] == value, sourceLocation: location)
        }
    }

    @Test("every type survives a round trip")
    func roundTrips() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await roundTrip(["", "é🇫🇷", "a\\b\"c'd\n\t", "NULL", "{}"], client)
                try await roundTrip([0, -1, Int.max, Int.min], client)
                try await roundTrip([Int64.max, Int64.min], client)
                try await roundTrip([Int32.max, Int32.min], client)
                try await roundTrip([Int16.max, Int16.min], client)
                try await roundTrip([true, false], client)
                try await roundTrip([0, -0.1, .pi, 1e300, .infinity, .leastNormalMagnitude], client)
                try await roundTrip([UUID(), UUID()], client)
                try await roundTrip([[UInt8](), [0, 1, 255], Array("naïve".utf8)], client)
                try await roundTrip([[String](), ["", "NULL", "a,b", "\"", "\\", "{x}", "é"]], client)
                try await roundTrip([[1, 2, 3], []], client)
                try await roundTrip([[true, false]], client)
                try await roundTrip([[UUID(), UUID()]], client)
                try await roundTrip([[0.5, -1]], client)
                try await roundTrip([["a", nil, "NULL", ""]], client)
                try await roundTrip([[1, nil]], client)
                let moments = [0, 1_790_000_000.123456, -86_400.5, 253_402_300_799].map(
                    Date.init(timeIntervalSince1970:))
                for moment in moments {
                    let row = try #require(try await client.first("select \(moment) as value"))
                    let read: Date = try row["value"]
                    #expect(abs(read.timeIntervalSince(moment)) < 0.000_001)
                }
                let row = try #require(
                    try await client.first(
                        "select \(JSONText(#"{"a": [1, "é"]}"#)) as json, \(String?.none) as nothing, \([UInt8]([7])) as bytes"
                    ))
                #expect(try row["json", as: JSONText.self].text == #"{"a": [1, "é"]}"#)
                #expect(try row.optional("nothing", as: String.self) == nil)
                #expect(try row["bytes", as: [UInt8].self] == [7])
            }
        }
    }

    @Test("an enum of strings maps to an enum, a domain and a text")
    func enums() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.withConnection {
                    try await $0.execute(
                        script: Array(
                            """
                            create type mood as enum ('happy', 'sad');
                            create domain feeling as text check (value in ('happy', 'sad'));
                            create table person (a mood, b feeling, c text, d mood[]);
                            """.utf8))
                }
                try await client.execute(
                    "insert into person values (\(Mood.happy), \(Mood.sad), \(Mood.happy), \([Mood.sad, .happy]))")
                let row = try #require(
                    try await client.first("select * from person where a = \(Mood.happy) and b = \(Mood.sad)"))
                #expect(try row["a"] == Mood.happy)
                #expect(try row["b"] == Mood.sad)
                #expect(try row["c"] == Mood.happy)
                #expect(try row["d"] == [Mood.sad, .happy])
            }
        }
    }

    @Test("a mismatch names the column and the types, and never the value")
    func mismatches() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let row = try #require(
                    try await client.first(
                        """
                        select 'secret'::text as word, 98765 as number, null::int as nothing, 3000000000 as big,
                            array['secret', null] as list
                        """))
                func message<T: PostgresDecodable>(_ column: String, _ type: T.Type) throws -> String {
                    let error = try #require(throws: PostgresError.self) { try row[column, as: type] }
                    #expect(error.kind == .decoding)
                    #expect(error.column == column)
                    return "\(error)"
                }
                for text in [
                    try message("word", Int.self), try message("word", UUID.self), try message("word", Date.self),
                    try message("word", Bool.self), try message("word", Mood.self), try message("word", [String].self),
                    try message("number", Bool.self), try message("number", UUID.self),
                    try message("nothing", Int.self),
                    try message("big", Int32.self), try message("list", [String].self), try message("absent", Int.self),
                ] {
                    #expect(!text.contains("secret") && !text.contains("98765") && !text.contains("3000000000"))
                }
                #expect(try message("word", Int.self).contains("text cannot be read as Int"))
            }
        }
    }
}
