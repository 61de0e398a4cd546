package import ClubProtocol
package import Postgres

/// A service's copy of the directory's people, in its table `person_copy`.
///
/// The rules are the same in every service:
/// - Rows are changed by the directory's feed only. A person who has no row yet is asked for at the directory, and the
///   response is kept if there is still no row: a row that exists by then came from the feed, and the response may have
///   been read before that change.
/// - A person who is erased, merged or deleted is *gone*: the row remains without any data, so that a late response does
///   not bring them back. The feed brings them back if a merge is undone.
/// - An erasure is final: not even the feed fills the row again, and the person's merges can no longer be undone.
///
/// The service lists `ServiceMigrations.people` and `ServiceMigrations.merges` among its migrations.
package struct PeopleMirror: Sendable {
    private let backend: Backend
    private let details: Set<PersonCopy.Detail>
    private let merges: MergeFollower
    private let forget: (@Sendable ([Person.ID], PostgresTransaction) async throws -> Void)?

    /// - Parameters:
    ///   - details: what the service may keep besides the name; each has its column in `person_copy`.
    ///   - merges: what merges of the directory change in the service's own tables.
    ///   - forget: deletes what people who are gone wrote about themselves. By then, the rows of those who were merged
    ///     have moved to the survivors.
    package init(
        _ backend: Backend, keeping details: Set<PersonCopy.Detail> = [], merges: MergeFollower,
        forget: (@Sendable ([Person.ID], PostgresTransaction) async throws -> Void)? = nil
    ) {
        self.backend = backend
        self.details = details
        self.merges = merges
        self.forget = forget
    }

    package func mount(on builder: inout ServiceBuilder) {
        builder.follow(.directory, name: "people", apply)
    }

    // MARK: Following

    /// Applies a batch of the directory's changes. Of several changes of one person only the last counts, since each
    /// carries the state at the time of reading. Rows of the service move to people who are in the copy already.
    @Sendable func apply(_ changes: [Change], in transaction: PostgresTransaction) async throws {
        var copies: [Person.ID: PersonCopy] = [:]
        for change in changes {
            if let copy = try PersonCopy(change) { copies[copy.id] = copy }
        }
        let updates = columns.map { "\($0) = excluded.\($0)" as SQL }.joined(separator: ", ")
        try await write(
            Array(copies.values), onConflict: "do update set \(updates) where not person_copy.erased", on: transaction)
        try await merges.apply(changes, in: transaction)
        let erased = changes.filter { $0.entity == .person && $0.action == .erased }
            .compactMap { try? Person.ID(validating: $0.id) }
        if !erased.isEmpty { try await MergeFollower.forget(erased, in: transaction) }
        let gone = copies.values.filter(\.gone).map(\.id)
        if !gone.isEmpty { try await forget?(gone, transaction) }
    }

    // MARK: Looking up

    /// The people with these identifiers, without those who are unknown or gone. The directory is asked about those who
    /// are not in the copy yet.
    ///
    /// - Throws: ``ServiceClientError`` if the directory is needed and does not respond; `PostgresError`.
    package func find(_ ids: [Person.ID]) async throws -> [Person.ID: PersonCopy] {
        guard !ids.isEmpty else { return [:] }
        var found = try await stored(ids)
        let missing = Set(ids).subtracting(found.keys)
        for id in missing {
            if let person = try await ask(for: id) { try await keep([PersonCopy(person)]) }
        }
        // What is stored counts, not the response: the feed may have been faster.
        if !missing.isEmpty { found.merge(try await stored(Array(missing))) { $1 } }
        return found.filter { !$0.value.gone }
    }

    /// Keeps the directory's response about people who were not in the copy.
    func keep(_ copies: [PersonCopy]) async throws {
        try await write(copies, onConflict: "do nothing", on: backend.database)
    }

    private func ask(for id: Person.ID) async throws -> Person? {
        do {
            return try await backend.peers[.directory].send(GetPerson.request(path: id))
        } catch ServiceClientError.problem(let document)
            where [ProblemType.notFound.slug, ProblemType.merged.slug].contains(document.slug)
        {
            return nil
        }
    }

    private func stored(_ ids: [Person.ID]) async throws -> [Person.ID: PersonCopy] {
        let copies = try await backend.database.query(
            "select id, \(columns.joined(separator: ", ")) from person_copy where id = any(\(ids))"
        ).decode(PersonCopy.self)
        return Dictionary(uniqueKeysWithValues: copies.map { ($0.id, $0) })
    }

    // MARK: Rights

    /// Erases people from the copy for good, and forgets the merges that they took part in. Idempotent.
    ///
    /// - Returns: the rows that those merges had set aside, with the columns `table` and `id` (text, null for rows
    ///   without an identifier): they are deleted.
    @discardableResult package func erase(
        _ people: [DataSubject.ID], in transaction: PostgresTransaction
    ) async throws -> Rows {
        let emptied = (["name"] + detailColumns).map { "\($0) = null" as SQL }.joined(separator: ", ")
        try await transaction.execute(
            """
            insert into person_copy (id, version, gone, erased) select id, 0, true, true from unnest(\(people)) as id
            on conflict (id) do update set \(emptied), gone = true, erased = true
            """)
        return try await MergeFollower.forget(people, in: transaction)
    }

    /// Everything that the copy holds about people, as an array of JSON objects: an expression for the document of an
    /// access request.
    package static func described(_ people: [DataSubject.ID]) -> SQL {
        """
        (
            select coalesce(jsonb_agg(to_jsonb(person_copy) - '{id,gone,erased}'::text[] order by id), '[]')
            from person_copy where id = any(\(people)) and not gone)
        """
    }

    // MARK: SQL

    /// The columns of the copy besides `id` and `erased`.
    private var columns: [SQL] { ["name"] + detailColumns + ["version", "gone"] }

    private var detailColumns: [SQL] {
        PersonCopy.Detail.allCases.filter(details.contains).map { detail in
            switch detail {
            case .email: "email"
            case .organization: "organization"
            }
        }
    }

    private func write(
        _ copies: [PersonCopy], onConflict resolution: SQL, on executor: any PostgresExecutor
    ) async throws {
        guard !copies.isEmpty else { return }
        let json = try JSONText(encoding: copies.map { $0.keeping(details) })
        let columns = columns.joined(separator: ", ")
        try await executor.execute(
            """
            insert into person_copy (id, \(columns))
            select id, \(columns) from jsonb_populate_recordset(null::person_copy, \(json))
            order by id
            on conflict (id) \(resolution)
            """)
    }
}
