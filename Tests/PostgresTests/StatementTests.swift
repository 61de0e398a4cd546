import Foundation
import Postgres
import TestKit
import Testing

@Suite("Statements") struct StatementTests {
    @Test("interpolated values are bound, and can do nothing else")
    func injection() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.execute("create table person (name text)")
                let names = [
                    "'; drop table person; --", "$1", "\\'; select 1", "\"quoted\"", "Robert'); delete from person;",
                    "%s %d {}", "", " ", "null", "NULL", "\u{FEFF}é\u{0301}🇫🇷", String(repeating: "x", count: 100_000),
                ]
                for name in names {
                    try await client.execute("insert into person (name) values (\(name))")
                    let row = try #require(try await client.first("select name from person where name = \(name)"))
                    #expect(try row["name"] == name)
                }
                #expect(try await client.query("select from person").count == names.count)
                let all = try await client.query("select name from person where name = any(\(names)) order by name")
                let found = try all.map { try $0["name", as: String.self] }
                #expect(Set(found) == Set(names))
            }
        }
    }

    @Test("fragments bring their own bindings, in order")
    func fragments() async throws {
        let condition: SQL = "name = \("a") and '$1' <> \("b")"
        let more: SQL = "rank > \(3)"
        let whole: SQL = "select \(1) where \(condition) or (\(more)) limit \(10)"
        #expect(whole.text == "select $1 where name = $2 and '$1' <> $3 or (rank > $4) limit $5")
        #expect(
            whole.parameters.map { $0.text.map { String(decoding: $0, as: UTF8.self) } } == ["1", "a", "b", "3", "10"])
        let list = [condition, more].joined(separator: " and ")
        #expect(list.text == "name = $1 and '$1' <> $2 and rank > $3")
        let twelve = (1...12).map { SQL("\($0)") }.joined(separator: ", ")
        let nested: SQL = "values (\(0), \(twelve))"
        #expect(nested.text.hasSuffix("$12, $13)"))
        try await withDatabase { database in
            try await database.withClient { client in
                let row = try #require(try await client.first("select array[\(twelve)] as numbers where \(0) = 0"))
                #expect(try row["numbers"] == Array(1...12))
            }
        }
    }

    @Test("a zero byte in a text is refused, not truncated")
    func zeroByte() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let error = await #expect(throws: PostgresError.self) {
                    try await client.query("select \("before\u{0}after") as text")
                }
                #expect(error?.sqlState == SQLState.characterNotInRepertoire)
                try await client.query("select 1")
            }
        }
    }

    @Test("an error carries SQLSTATE, constraint, table and column, and never a value")
    func errors() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let secret = "secret-7391"
                try await client.execute("create table person (name text constraint one_name unique, age int not null)")
                try await client.execute("insert into person values (\(secret), 1)")
                let statements: [(SQL, String)] = [
                    ("insert into person values (\(secret), 2)", SQLState.uniqueViolation),
                    ("insert into person values (\(secret + "2"), null)", SQLState.notNullViolation),
                    ("select \(secret)::int", SQLState.invalidTextRepresentation),
                    ("select to_tsquery(\(secret + " | & "))", SQLState.syntaxError),
                    ("select \(secret)::regclass", SQLState.undefinedTable),
                    ("selec \(secret)", SQLState.syntaxError),
                    ("select nothing from person where name = \(secret)", SQLState.undefinedColumn),
                ]
                for (statement, state) in statements {
                    let error = try #require(
                        await #expect(throws: PostgresError.self) { try await client.query(statement) })
                    #expect(error.sqlState == state)
                    #expect(!error.isUnavailable)
                    #expect(!"\(error)".contains("secret"), "\(error)")
                }
                let unique = await #expect(throws: PostgresError.self) { try await client.query(statements[0].0) }
                #expect(unique?.constraint == "one_name")
                #expect(unique?.table == "person")
                let missing = await #expect(throws: PostgresError.self) { try await client.query(statements[1].0) }
                #expect(missing?.column == "age")
                let column = await #expect(throws: PostgresError.self) { try await client.query(statements[6].0) }
                #expect(column?.message.contains("nothing") == true)
            }
        }
    }

    @Test("a wrong URL is refused without repeating it")
    func configuration() throws {
        let error = #expect(throws: PostgresConfiguration.InvalidURL.self) {
            try PostgresConfiguration(url: "postgres://user:hunter2@host/db?nonsense=1")
        }
        #expect(!"\(error as Any)".contains("hunter2"))
        _ = try PostgresConfiguration(url: "host=/tmp dbname=a user=b")
    }
}
