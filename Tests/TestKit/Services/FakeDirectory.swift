package import ClubProtocol
package import Postgres
package import ServiceKit

/// The part of the directory that the other services call, on a table that tests fill.
package enum FakeDirectory: ServiceApplication {
    package static let name = ServiceName.directory
    package static let title = "A directory for tests"
    package static let endpoints: [any Endpoint.Type] = [GetPerson.self, CheckCaller.self, ReadChanges.self]
    package static let peers: [ServiceName] = []
    package static let migrations = [
        Migration("0001-people", sql: Array("create table person (id uuid primary key, data jsonb not null)".utf8)),
        Migration("0002-merges", sql: Array("create table merge (id uuid primary key, data jsonb not null)".utf8)),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        builder.routes.read(GetPerson.self) { call in
            let rows = try await backend.database.query("select data from person where id = \(call.path)")
            guard let data = try rows.first?["data", as: JSONText.self] else { throw Problem(.notFound) }
            return .json(Array(data.text.utf8))
        }
        // A person in the table has whatever roles the token claims.
        builder.routes.read(CheckCaller.self) { call in
            let rows = try await backend.database.query(
                "select from person where id = coalesce(\(call.query.person), id) limit 1")
            return .value(CallerStanding(isKnown: !rows.isEmpty))
        }
        builder.snapshot(.person) { "select id, data from person where id = any(\($0))" }
        builder.snapshot(.merge) { "select id, data from merge where id = any(\($0))" }
    }

    /// Merges one person into another, or undoes it, as the directory does.
    package static func merge(
        _ merged: Person, into survivor: Person, id: Merge.ID, undo: Bool = false, in backend: Backend
    ) async throws {
        let notice = MergeNotice(
            id: id, kind: .person, survivor: .init(survivor.id.uuid), merged: .init(merged.id.uuid),
            state: undo ? .undone : .done)
        let data = JSONText(String(decoding: try WireJSON.encode(notice), as: UTF8.self))
        let person = JSONText(String(decoding: try WireJSON.encode(merged), as: UTF8.self))
        try await backend.database.transaction { transaction in
            try await transaction.execute(
                """
                insert into merge (id, data) values (\(id), \(data)) on conflict (id) do update set data = excluded.data
                """)
            if undo {
                try await transaction.execute("insert into person (id, data) values (\(merged.id), \(person))")
            } else {
                try await transaction.execute("delete from person where id = \(merged.id)")
            }
            try await transaction.record(
                [
                    .init(undo ? .changed : .created, .merge, id),
                    .init(undo ? .created : .merged, .person, merged.id, version: merged.version),
                ], by: .service(.directory))
        }
    }

    package static func put(_ person: Person, in backend: Backend) async throws {
        let data = JSONText(String(decoding: try WireJSON.encode(person), as: UTF8.self))
        try await backend.database.transaction { transaction in
            try await transaction.execute(
                """
                insert into person (id, data) values (\(person.id), \(data))
                on conflict (id) do update set data = excluded.data
                """)
            try await transaction.record(
                person.version == 1 ? .created : .changed, .person, person.id, version: person.version,
                by: .service(.directory))
        }
    }

    package static func erase(_ person: Person.ID, in backend: Backend) async throws {
        try await backend.database.transaction { transaction in
            try await transaction.execute("delete from person where id = \(person)")
            try await transaction.record(.erased, .person, person, by: .service(.directory))
        }
    }
}
