import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of the Cercle's meetings; columns are named after the keys of `CircleMeeting`.
enum MeetingStore {
    private static let columns: SQL = """
        meeting.id, meeting.day as date, meeting.place, meeting.theme, meeting.description,
        (
            select coalesce(json_agg(coalesce(official.name, person_copy.name) order by invitation.id), '[]')
            from invitation left join official on official.id = invitation.official
                left join person_copy on person_copy.id = invitation.person
            where invitation.meeting = meeting.id and invitation.guest_of_honour
                and coalesce(official.name, person_copy.name) is not null
        ) as "guestsOfHonour",
        (select count(*) from invitation where invitation.meeting = meeting.id) as invited,
        (
            select count(*) from invitation where invitation.meeting = meeting.id and invitation.state = 'accepted'
        ) as accepted,
        (select count(*) from attendance where attendance.meeting = meeting.id) as attended,
        meeting.version, meeting.created_at as "createdAt", meeting.updated_at as "updatedAt"
        """

    static func create(
        _ body: CreateCircleMeeting.Body, in transaction: PostgresTransaction
    ) async throws -> CircleMeeting.ID {
        let id = CircleMeeting.ID()
        try await transaction.execute(
            """
            insert into circle_meeting (id, day, place, theme, description)
            values (\(id), \(body.date), \(body.place), \(body.theme), \(body.description))
            """)
        return id
    }

    static func get(_ id: CircleMeeting.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from circle_meeting meeting where meeting.id = \(id)")
    }

    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        let rules: [SQL] = page.after?.first.map { ["meeting.day < \($0)::date"] } ?? []
        return try await executor.query(
            """
            select \(columns) from circle_meeting meeting where \(rules.all)
            order by meeting.day desc
            limit \(page.limit + 1)
            """)
    }

    static func exists(_ id: CircleMeeting.ID, on executor: any PostgresExecutor) async throws -> Bool {
        try await !executor.query("select from circle_meeting where id = \(id)").isEmpty
    }

    /// Locks a meeting until the transaction ends.
    ///
    /// - Returns: whether it exists.
    static func lock(_ id: CircleMeeting.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await !transaction.query("select from circle_meeting where id = \(id) for update").isEmpty
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object('date', day, 'theme', theme, 'version', version) as data
        from circle_meeting where id = any(\(ids))
        """
    }
}
