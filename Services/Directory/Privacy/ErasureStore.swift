import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of erasures; columns are named like the keys of `Erasure`.
enum ErasureStore {
    private static let columns: SQL = """
        id, entity, subject, reason, state, (
            select json_agg(json_strip_nulls(json_build_object(
                'service', each.service,
                'doneAt', directory.rfc3339(report.done_at))) order by place)
            from unnest(\(ServiceName.allCases.map(\.rawValue))::text[]) with ordinality as each (service, place)
                left join erasure_report as report
                    on report.erasure = erasure.id and report.service = each.service) as services,
        started_at as "startedAt", completed_at as "completedAt", version, created_at as "createdAt",
        updated_at as "updatedAt"
        """

    /// Only callers who may see all records see which ones share an address or a telephone with it.
    private static func columns(for principal: Principal) -> SQL {
        switch principal.role {
        case .operator, .auditor: "\(columns), nullif(others, '[]') as others"
        default: columns
        }
    }

    /// What a transition starts from.
    struct Current: Decodable {
        var entity: DataSubject.Entity
        var subject: DataSubject.ID
        var state: Erasure.State
        var version: Int
    }

    /// What a caller may see: only what it requested itself.
    private static func visible(to principal: Principal) -> SQL {
        switch principal.role {
        case .operator, .auditor: "true"
        case .expert: "(subject = \(principal.person) or subject = \(principal.organization))"
        default: "subject = \(principal.person)"
        }
    }

    static func create(
        _ id: Erasure.ID, _ subject: DataSubject, _ reason: Erasure.Reason, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            insert into erasure (id, entity, subject, reason, state, requested_by)
            values (
                \(id), \(subject.entity.rawValue), \(subject.id), \(reason.rawValue),
                \(Erasure.State.requested.rawValue), \(principal.actor))
            """)
    }

    static func get(
        _ id: Erasure.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        try await executor.query(
            "select \(columns(for: principal)) from erasure where id = \(id) and \(visible(to: principal))")
    }

    /// Whether a subject's erasure has been requested, and not refused.
    static func isRequested(for subject: DataSubject, on executor: any PostgresExecutor) async throws -> Bool {
        let row = try await executor.first(
            """
            select exists (
                select from erasure
                where entity = \(subject.entity.rawValue) and subject = \(subject.id) and state <> 'refused') as asked
            """)
        return try row?["asked"] ?? false
    }

    /// How many wait to be begun or refused.
    static func countWaiting(on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first("select count(*) as waiting from erasure where state = 'requested'")?["waiting"] ?? 0
    }

    /// How many have waited more than a day for a service's report.
    static func countStuck(on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first(
            """
            select count(*) as stuck from erasure
            where state = 'erasing' and started_at < now() - interval '1 day'
            """)?["stuck"] ?? 0
    }

    /// For the response after creating or changing it.
    static func get(_ id: Erasure.ID, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query("select \(columns) from erasure where id = \(id)")
    }

    static func list(
        _ query: ListErasures.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = [visible(to: principal)]
        if let state = query.state { rules.append("state = \(state.rawValue)") }
        if let after = page.after?.first { rules.append("id < \(after)::text::uuid") }
        return try await executor.query(
            "select \(columns(for: principal)) from erasure where \(rules.all) order by id desc limit \(page.limit + 1)"
        )
    }

    /// - Throws: 404.
    static func lock(_ id: Erasure.ID, in transaction: PostgresTransaction) async throws -> Current {
        let row = try await transaction.first(
            "select entity, subject, state, version from erasure where id = \(id) for update")
        guard let row else { throw Problem(.notFound) }
        return try row.decode(Current.self)
    }

    static func notice(_ id: Erasure.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            "select id as erasure, state, entity, subject, reason, aliases, emails, held from erasure where id = \(id)")
    }

    static func refuse(_ id: Erasure.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            "update erasure set state = 'refused', version = version + 1, updated_at = now() where id = \(id)")
    }

    /// Locks the record that is to be erased.
    ///
    /// - Throws: 409 if it is not found: an erasure that found nothing would be reported as done all the same.
    static func hold(_ subject: DataSubject, in transaction: PostgresTransaction) async throws {
        let found = try await transaction.first(
            "select id from \(subject.table) where id = \(subject.id) for update")
        guard found == nil else { return }
        let heir = try await MergedRecords.survivor(of: subject.id, subject.entity.kind, on: transaction)
        throw Problem(
            .transitionNotAllowed,
            heir.map { "The record was merged into \($0): refuse this erasure, and erase that one." }
                ?? "The record is no longer in the directory.")
    }

    /// Begins it: from here on, the ledger of the subject may be deleted.
    ///
    /// - Parameter emails: the addresses that no one else has.
    /// - Returns: the notice for the services.
    static func begin(
        _ id: Erasure.ID, _ subject: DataSubject, _ known: SubjectIdentifiers, emails: [String],
        in transaction: PostgresTransaction
    ) async throws -> ErasureNotice? {
        try await transaction.first(
            """
            update erasure set state = 'erasing', started_at = now(), version = version + 1, updated_at = now(),
                aliases = \(known.aliases), emails = \(emails)::text[], held = \(try JSONText(encoding: known.held)),
                others = (select coalesce(jsonb_agg(other), '[]') from (\(known.others(subject))) as found)
            where id = \(id)
            returning id as erasure, state, entity, subject, reason, aliases, emails, held
            """)?.decode(ErasureNotice.self)
    }

    /// Records a service's report; the last one ends the erasure, and the addresses are deleted.
    ///
    /// - Returns: the version, if this was the last report.
    static func report(
        _ id: Erasure.ID, by service: ServiceName, in transaction: PostgresTransaction
    ) async throws -> Int? {
        try await transaction.execute(
            """
            insert into erasure_report (erasure, service) values (\(id), \(service.rawValue)) on conflict do nothing
            """)
        return try await transaction.first(
            """
            update erasure set state = 'done', emails = '{}', aliases = '{}', others = '[]', held = '[]',
                completed_at = now(), version = version + 1, updated_at = now()
            where id = \(id) and state = 'erasing'
                and (select count(*) from erasure_report where erasure = \(id)) = \(ServiceName.allCases.count)
            returning version
            """)?["version"]
    }

    /// For followers of the feed: only that it exists, and its state. Each service asks for the subject.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object('id', id, 'entity', entity, 'state', state, 'version', version) as data
        from erasure where id = any(\(ids))
        """
    }
}
