import ClubProtocol
import Postgres
import ServiceKit

extension MailLane.State: PostgresEncodable, PostgresDecodable {}

/// `/v1/mail-lanes`.
struct LaneRoutes {
    let backend: Backend
    let rules: MailLimitsFile
    /// How many connections a process has.
    let connections: Int

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListMailLanes.self, list)
        builder.routes.write(TransitionMailLane.self, transition)
    }

    @Sendable func list(_ call: Call<ListMailLanes>) async throws -> RouteResponse<Page<MailLane>> {
        let rules: [SQL] = call.page.after?.first.map { ["code > \($0)"] } ?? []
        let rows = try await backend.database.query(
            "\(Self.columns) where \(rules.all) order by code limit \(call.page.limit + 1)")
        var lanes = try rows.map(lane)
        var next: Cursor?
        if lanes.count > call.page.limit {
            lanes.removeLast()
            next = try lanes.last.map { try call.page.next(after: $0.code) }
        }
        return .value(Page(items: lanes, next: next))
    }

    @Sendable func transition(
        _ call: Call<TransitionMailLane>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<MailLane> {
        guard let row = try await transaction.first("\(Self.columns) where code = \(call.path) for update") else {
            throw Problem(.notFound)
        }
        let before = try lane(row)
        let next = call.body.to
        guard before.state.allows(next), next == .paused || before.state == .paused else {
            throw Problem(
                .transitionNotAllowed, "The lane is \(before.state.rawValue); it cannot become \(next.rawValue).")
        }
        try await transaction.execute(
            """
            update mail_lane set state = \(next), wait_until = null, wait_seconds = 0, share = 1, refusals = 0,
                reason = null, version = version + 1, updated_at = now()
            where code = \(call.path)
            """)
        if next == .open { try await OutgoingMailStore.notify(in: transaction) }
        guard let after = try await transaction.first("\(Self.columns) where code = \(call.path)") else {
            throw Problem(.notFound)
        }
        return .value(try lane(after))
    }

    private static let columns: SQL = """
        select code, state, share::double precision as share, reason, updated_at,
            case when wait_until > now() then wait_until end as wait_until,
            case when minute = date_trunc('minute', now()) then minute_claimed else 0 end as in_minute,
            case when day = current_date then day_claimed else 0 end as in_day,
            (select count(*) from mail_connection where lane = code)::integer as connections
        from mail_lane
        """

    private func lane(_ row: Row) throws -> MailLane {
        let code: String = try row["code"]
        let rule = rules.rule(of: code, connections: connections)
        return MailLane(
            code: code, state: try row["state"], share: try row["share"],
            limits: .init(
                connections: rule.connections, messagesPerConnection: rule.messagesPerConnection,
                messagesPerMinute: rule.messagesPerMinute, messagesPerDay: rule.messagesPerDay),
            connections: try row["connections"], inMinute: try row["in_minute"], inDay: try row["in_day"],
            waitUntil: try row.optional("wait_until"), reason: try row.optional("reason"),
            updatedAt: try row["updated_at"])
    }
}
