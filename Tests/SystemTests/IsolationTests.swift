import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServiceKit
import TestKit
import Testing

/// A service's database role reaches its own schema and nothing else.
@Suite("isolation of the schemas", .serialized)
struct IsolationTests {
    @Test("each role is refused on every table of every other schema, with 42501")
    func otherSchemas() async throws {
        try await TestClub.run { club in
            let tables = try await club.database.withClient { client in
                try await client.query(
                    """
                    select schemaname as schema, tablename as name from pg_tables
                    where schemaname in ('directory', 'events', 'content', 'lobbying')
                    """
                ).map { (schema: try $0["schema", as: String.self], name: try $0["name", as: String.self]) }
            }
            #expect(Set(tables.map(\.schema)).count == 4)
            for role in ServiceName.allCases.map(\.rawValue) {
                try await club.database.withClient(as: role) { client in
                    for table in tables {
                        let probe = SQL(table: "\(table.schema).\(table.name)")
                        if table.schema == role {
                            // It can read its own tables.
                            _ = try await client.query(probe)
                        } else {
                            let error = await #expect(throws: PostgresError.self, "\(role) reads \(table)") {
                                _ = try await client.query(probe)
                            }
                            #expect(error?.sqlState == "42501")
                        }
                    }
                }
            }
        }
    }

    @Test(
        "a runtime role cannot change any schema, not even its own",
        arguments: [
            "create table intruder (id integer)", "create schema intruder", "create table public.intruder (id integer)",
            "alter table organization add column intruder integer", "drop table organization",
            "create role intruder", "delete from schema_migration",
        ] as [SQL])
    func ownSchema(statement: SQL) async throws {
        try await TestClub.run([.directory]) { club in
            try await club.database.withClient(as: "directory", searchPath: "directory") { client in
                let error = await #expect(throws: PostgresError.self) { try await client.execute(statement) }
                #expect(error?.sqlState == "42501")
            }
        }
    }
}

extension SQL {
    /// A read of a table whose name comes from the catalogue, quoted by the server itself.
    fileprivate init(table: String) {
        self.init(stringLiteral: "select 1 from \(table) limit 1")
    }
}
