package import ClubProtocol
package import Postgres

/// What transactions record of their changes: a row in the change feed and one in the audit trail.
package enum Journal {
    package typealias Action = Change.Action

    /// One change.
    package struct Entry: Sendable {
        package var action: Action
        package var entity: EntityName
        package var id: String
        /// The version after the change.
        package var version: Int?
        /// The new values. Never stored: the audit trail keeps an HMAC of their JSON, under a key of the record.
        package var values: Values?

        package enum Values: Sendable {
            case value(any Encodable & Sendable)
            /// They were encoded already, by ``JSONText/init(encoding:)``.
            case json(JSONText)
        }

        package init(
            _ action: Action, _ entity: EntityName, _ id: some TextValue, version: Int? = nil,
            values: (any Encodable & Sendable)? = nil
        ) {
            self.action = action
            self.entity = entity
            self.id = id.text
            self.version = version
            self.values = values.map { .value($0) }
        }

        package init(_ action: Action, _ entity: EntityName, _ id: some TextValue, version: Int, json: JSONText) {
            self.init(action, entity, id, version: version)
            values = .json(json)
        }
    }
}

extension Journal.Entry {
    /// One entry for each row with the column `id`, and `version` where the record still exists.
    ///
    /// - Throws: `PostgresError` if a row has no `id`.
    package static func each(
        _ action: Journal.Action, _ entity: EntityName, _ rows: Rows
    ) throws -> [Journal.Entry] {
        let isVersioned = rows.columns.contains { $0.name == "version" }
        return try rows.map { row in
            var entry = Journal.Entry(action, entity, try row["id", as: Identifier<Journal>.self])
            if isVersioned { entry.version = try row["version"] }
            return entry
        }
    }
}

extension Journal {
    /// The statement that records changes, to be sent together with others.
    ///
    /// Of the transactions that write at the same time, only the first notifies listeners: notifying serializes
    /// commits, and the later changes cannot be read before the first transaction has ended anyway.
    ///
    /// - Throws: errors of encoding the values.
    package static func statement(_ entries: [Entry], by principal: Principal) throws -> SQL {
        var messages: [[UInt8]?] = []
        var fresh: [[UInt8]?] = []
        for entry in entries {
            // The values of a record that is being erased would create its key again.
            let message = entry.action == .erased ? nil : try entry.values?.message
            messages.append(message)
            fresh.append(message == nil ? nil : CommitmentKey().pads)
        }
        return """
            with entry as materialized (
                select * from unnest(
                    \(entries.map(\.action.rawValue)), \(entries.map(\.entity.rawValue)), \(entries.map(\.id)),
                    \(entries.map(\.version))::integer[], \(messages)::bytea[], \(fresh)::bytea[]
                ) with ordinality as entry (action, entity, subject, version, message, fresh, position)
            ), fed as (
                insert into change (entity, subject, action, version)
                select entity, subject, action, version from entry order by position
            ), audited as (
                insert into audit (actor, role, action, entity, subject, version, commitment)
                select \(principal.actor), \(principal.isAnonymous ? "none" : principal.role.rawValue),
                    action, entity, subject, version,
                    case when message is not null then audit_commitment(entity, subject, fresh, message) end
                from entry order by position
            ), forgotten as (
                delete from audit_key using entry
                where entry.action = 'erased' and audit_key.entity = entry.entity and audit_key.subject = entry.subject
            )
            select pg_notify(current_schema() || '_change', '')
            where pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' change', 0))
            """
    }
}

extension PostgresTransaction {
    /// Records one change that this transaction makes, in the change feed and the audit trail.
    ///
    /// `erased` also deletes the key of the record: from then on its commitments reveal nothing.
    ///
    /// - Parameters:
    ///   - version: after the change.
    ///   - values: the new values: see ``Journal/Entry/values``.
    /// - Throws: `PostgresError`; errors of encoding the values.
    package func record(
        _ action: Journal.Action, _ entity: EntityName, _ id: some TextValue, version: Int? = nil,
        values: (any Encodable & Sendable)? = nil, by principal: Principal
    ) async throws {
        try await record([.init(action, entity, id, version: version, values: values)], by: principal)
    }

    /// Records many changes in one statement: see ``Journal/statement(_:by:)``.
    ///
    /// - Throws: `PostgresError`; errors of encoding the values.
    package func record(_ entries: [Journal.Entry], by principal: Principal) async throws {
        guard !entries.isEmpty else { return }
        try await execute(Journal.statement(entries, by: principal))
    }

    /// Records the same change of each row that a statement returned: see ``Journal/Entry/each(_:_:_:)``.
    package func record(
        _ action: Journal.Action, _ entity: EntityName, each rows: Rows, by principal: Principal
    ) async throws {
        try await record(Journal.Entry.each(action, entity, rows), by: principal)
    }
}

extension Journal.Entry.Values {
    fileprivate var message: [UInt8] {
        get throws {
            switch self {
            case .value(let value): try WireJSON.encode(value)
            case .json(let json): Array(json.text.utf8)
            }
        }
    }
}

/// The key of a commitment, as the two pads of HMAC (RFC 2104): the server has `sha256()` but no HMAC, and the pads are
/// all that it needs to compute one.
struct CommitmentKey {
    /// The inner pad, then the outer pad.
    let pads: [UInt8]

    /// - Parameter key: 32 random bytes of the system, unless a test passes its own; at most 64.
    init(_ key: [UInt8] = Self.random()) {
        let block = key + [UInt8](repeating: 0, count: 64 - key.count)
        pads = block.map { $0 ^ 0x36 } + block.map { $0 ^ 0x5c }
    }

    /// 32 bytes. By words, as each random number is a system call.
    private static func random() -> [UInt8] {
        (0..<4).flatMap { _ in
            let word = UInt64.random(in: .min ... .max)
            return stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }
}
