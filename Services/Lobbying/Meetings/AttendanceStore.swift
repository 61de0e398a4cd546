import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of attendance; columns are named after the keys of `Attendance`.
enum AttendanceStore {
    /// Replaces the attendance list; the meeting is locked. Its version increases, because its representation counts
    /// the attendance.
    static func replace(
        of meeting: CircleMeeting.ID, officials: [Official.ID], people: [Person.ID],
        in transaction: PostgresTransaction
    ) async throws -> Int {
        let results = try await transaction.batch([
            """
            delete from attendance
            where meeting = \(meeting) and (
                (official is not null and official <> all(\(officials)))
                or (person is not null and person <> all(\(people))))
            """,
            """
            insert into attendance (meeting, official)
            select \(meeting), official from unnest(\(officials)) as official
            on conflict (meeting, official) where official is not null do nothing
            """,
            """
            insert into attendance (meeting, person)
            select \(meeting), person from unnest(\(people)) as person
            on conflict (meeting, person) where person is not null do nothing
            """,
            """
            update circle_meeting set version = version + 1, updated_at = now() where id = \(meeting)
            returning version
            """,
        ])
        guard let version = try results.last?.first?["version", as: Int.self] else { throw Problem(.notFound) }
        return version
    }

    static func get(_ meeting: CircleMeeting.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            """
            select meeting.id as meeting, (
                select coalesce(json_agg(json_strip_nulls(json_build_object(
                    'official', attendance.official, 'person', attendance.person,
                    'name', coalesce(official.name, person_copy.name)
                )) order by attendance.official is null, coalesce(official.name, person_copy.name)), '[]')
                from attendance left join official on official.id = attendance.official
                    left join person_copy on person_copy.id = attendance.person
                where attendance.meeting = meeting.id
            ) as attendees
            from circle_meeting meeting where meeting.id = \(meeting)
            """)
    }

    static func unknownOfficials(_ ids: [Official.ID], in transaction: PostgresTransaction) async throws -> Set<
        Official.ID
    > {
        let known: [Official.ID] = try await transaction.query("select id from official where id = any(\(ids))")
            .map { try $0["id"] }
        return Set(ids).subtracting(known)
    }
}
