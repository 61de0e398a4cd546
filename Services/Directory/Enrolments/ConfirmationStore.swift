import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of confirmation requests.
enum ConfirmationStore {
    typealias RequestID = Identifier<ConfirmationRequest>

    /// The first letter goes out this many months after the last confirmation: a month before the record becomes stale.
    private static let firstAfterMonths = 11
    /// Days from each letter to the next, longer each time. After the last, nothing more is sent: the record goes
    /// stale.
    private static let reminderDays = [14, 28, 56]

    /// The recipient of a request, while it is open.
    struct Open: Decodable {
        var expert: Expert.ID?
        var ambassador: Ambassador.ID?
        var recipient: Recipient
        /// The name of the record.
        var record: String
        var step: Int
        var confirmedAt: Timestamp
    }

    /// Adds the requests that are due, the longest overdue first. Safe to run concurrently: each step of a round has
    /// one request.
    ///
    /// - Parameter table: `expert` or `ambassador`.
    static func ask(_ table: SQL, limit: Int, in transaction: PostgresTransaction) async throws -> [RequestID] {
        let hasAddress: SQL =
            table == "expert"
            ? Recipient.exists(.expert, "expert.id") : Recipient.exists(.person, "ambassador.person")
        let rows = try await transaction.query(
            """
            with due as (
                select \(table).id, \(table).confirmed_at, coalesce(latest.step + 1, 0) as step
                from \(table) left join lateral (
                    select step, asked_at from confirmation_request as earlier
                    where earlier.\(table) = \(table).id and earlier.confirmed_at = \(table).confirmed_at
                    order by step desc limit 1
                ) as latest on true
                where left_on is null and \(table).confirmed_at <= now() - make_interval(months => \(firstAfterMonths)::integer)
                    and \(hasAddress) and (
                        latest.step is null
                        or latest.asked_at <= now() - make_interval(days => (\(reminderDays)::integer[])[latest.step + 1]))
                order by \(table).confirmed_at, \(table).id
                limit \(limit)
            )
            insert into confirmation_request (id, \(table), confirmed_at, step)
            select gen_random_uuid(), id, confirmed_at, step from due
            on conflict do nothing
            returning id
            """)
        return try rows.map { try $0["id"] }
    }

    /// The recipient; nil if the record has been confirmed or has left since, or has lost its address.
    static func open(_ request: RequestID, on executor: any PostgresExecutor) async throws -> Open? {
        try await executor.first(
            """
            select request.expert, request.ambassador, step, request.confirmed_at as "confirmedAt",
                \(Recipient.column), coalesce(expert.name, \(SQL.personName(of: "person"))) as record
            from confirmation_request as request
            left join expert on expert.id = request.expert
            left join ambassador on ambassador.id = request.ambassador
            left join person on person.id = ambassador.person
            \(Recipient.join(
                kind: "case when request.expert is null then 'person' else 'expert' end",
                "coalesce(request.expert, ambassador.person)"))
            where request.id = \(request) and mailed_at is null
                and request.confirmed_at in (expert.confirmed_at, ambassador.confirmed_at)
                and expert.left_on is null and ambassador.left_on is null
            """)?.decode(Open.self)
    }

    static func mailed(_ request: RequestID, on executor: any PostgresExecutor) async throws {
        try await executor.execute("update confirmation_request set mailed_at = now() where id = \(request)")
    }
}

/// One request to confirm that a record is still right; its row is its only representation.
enum ConfirmationRequest {}
