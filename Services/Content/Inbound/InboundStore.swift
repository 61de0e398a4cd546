import ClubProtocol
import Postgres
import ServiceKit

extension InboundMessage.State: PostgresEncodable, PostgresDecodable {}
extension InboundMessage.Kind: PostgresEncodable, PostgresDecodable {}
extension InboundMessage.Source: PostgresEncodable, PostgresDecodable {}

/// The SQL of inbound messages; columns are named after the keys of `InboundMessage`.
enum InboundStore {
    /// How long the bytes of a message are kept after it was read, in days.
    static let days = 30

    private static let columns: SQL = """
        message.id, message.state, source, kind, reason, subject, writer,
        case when mail.issue is not null then mail.id end as delivery,
        case when mail.issue is null then mail.id end as letter,
        found_by as "foundBy", received_at as "receivedAt", message.updated_at as "updatedAt"
        """
    private static let joined: SQL = "inbound_message message left join outgoing_mail mail on mail.id = message.mail"

    // MARK: Taking

    /// Keeps a message, unless it was taken before.
    ///
    /// - Parameter digest: SHA-256 of what was received.
    /// - Returns: the message, and whether it is new.
    static func take(
        _ bytes: [UInt8], digest: [UInt8], from source: InboundMessage.Source, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> (rows: Rows, isNew: Bool) {
        let id = InboundMessage.ID()
        let added = try await transaction.execute(
            """
            insert into inbound_message (id, digest, source, bytes) values (\(id), \(digest), \(source), \(bytes))
            on conflict on constraint inbound_message_once do nothing
            """)
        guard added == 1 else {
            return (
                try await transaction.query("select \(columns) from \(joined) where digest = \(digest)"), false
            )
        }
        try await transaction.record(.created, .inboundMessage, id, by: principal)
        return (try await get(id, on: transaction), true)
    }

    // MARK: Reading

    struct Taken: Sendable {
        var id: InboundMessage.ID
        var source: InboundMessage.Source
        var bytes: [UInt8]
        /// How often reading it was begun, this time included.
        var attempt: Int
    }

    /// A message that is to be read: a new one, or one that an earlier version could not read.
    static func claim(version: Int, on database: PostgresClient) async throws -> Taken? {
        try await database.write(
            """
            update inbound_message set attempt = case when state = 'new' then attempt + 1 else 1 end,
                reader_version = \(version)
            where id = (
                select id from inbound_message
                where state = 'new' or state = 'unread' and reader_version < \(version) and bytes is not null
                order by attempt, id limit 1 for update skip locked)
            returning id, source, bytes, attempt
            """
        ).first.map {
            Taken(id: try $0["id"], source: try $0["source"], bytes: try $0["bytes"], attempt: try $0["attempt"])
        }
    }

    /// The state of a message, locked until the transaction ends; nil when it is not found.
    static func lock(
        _ id: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws -> (state: InboundMessage.State, mail: MailMessage.ID?)? {
        try await transaction.query("select state, mail from inbound_message where id = \(id) for update").first.map {
            (try $0["state"], try $0.optional("mail"))
        }
    }

    /// What a message turned out to be.
    struct Reading: Sendable {
        var kind: InboundMessage.Kind?
        /// Why it could not be read.
        var reason: String?
        var subject: String?
        var writer: EmailAddress?
        var mail: MailMessage.ID?
        var foundBy: InboundMessage.FoundBy?
    }

    static func conclude(
        _ id: InboundMessage.ID, _ reading: Reading, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            update inbound_message set state = \(reading.kind == nil ? InboundMessage.State.unread : .read),
                kind = \(reading.kind), reason = left(\(reading.reason), 500),
                subject = coalesce(left(\(reading.subject), 500), subject), writer = coalesce(\(reading.writer), writer),
                mail = coalesce(\(reading.mail), mail), found_by = coalesce(\(reading.foundBy), found_by), version = version + 1,
                updated_at = now()
            where id = \(id)
            """)
    }

    /// How many messages wait for people.
    static func unread(on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first("select count(*)::integer as count from inbound_message where state = 'unread'")?[
            "count"] ?? 0
    }

    /// Forgets the bytes of messages that were read long ago; what is unread keeps them.
    static func forget(on database: PostgresClient) async throws {
        try await database.execute(
            """
            update inbound_message set bytes = null
            where bytes is not null and state = 'read' and received_at < now() - make_interval(days => \(days)::integer)
            """)
    }

    // MARK: Showing

    static func get(_ id: InboundMessage.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from \(joined) where message.id = \(id)")
    }

    /// Nil when there is no such message, or its bytes were forgotten.
    static func source(of id: InboundMessage.ID, on executor: any PostgresExecutor) async throws -> [UInt8]? {
        try await executor.query("select bytes from inbound_message where id = \(id) and bytes is not null")
            .first?["bytes"]
    }

    static func list(
        _ query: ListInboundMessages.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let state = query.state { rules.append("message.state = \(state)") }
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let key = page.after?.first { rules.append("message.id < \(key)::uuid") }
        return try await executor.query(
            "select \(columns) from \(joined) where \(rules.all) order by message.id desc limit \(page.limit + 1)")
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object('id', id, 'state', state, 'kind', kind)) as data
        from inbound_message where id = any(\(ids))
        """
    }
}
