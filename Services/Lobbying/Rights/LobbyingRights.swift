import ClubProtocol
import Postgres
import ServiceKit

/// What the lobbying service owes people in the directory. Officials are not among them: the law on transparency
/// requires what is kept about them.
struct LobbyingRights {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        let backend = backend
        builder.personalData(
            backend, erase: { notice, transaction in try await Self.erase(notice, in: transaction) },
            tell: { subject in try await Self.tell(subject, on: backend.database) })
    }

    /// The record that a guest was invited and came stays with the meeting; who it was does not.
    private static func erase(_ notice: ErasureNotice, in transaction: PostgresTransaction) async throws
        -> [AddressPeriod]
    {
        guard notice.entity == .person else { return [] }
        try await transaction.execute(
            """
            insert into guest (id, version, gone, erased) select id, 0, true, true from unnest(\(notice.everyone)) as id
            on conflict (id) do update set name = null, gone = true, erased = true
            """)
        // The merges can no longer be undone.
        try await transaction.execute(
            "delete from merge where survivor = any(\(notice.everyone)) or merged = any(\(notice.everyone))")
        return []
    }

    private static func tell(
        _ subject: ReadPersonalData.Body, on database: PostgresClient
    ) async throws -> PersonalData {
        try PersonalData(
            of: .lobbying,
            await database.first(
                """
                select greatest(
                        (select max(updated_at) from invitation where person = any(\(subject.everyone))),
                        (select max(recorded_at) from attendance where person = any(\(subject.everyone)))) as last,
                    jsonb_strip_nulls(jsonb_build_object(
                        'guests', (
                            select coalesce(jsonb_agg(
                                jsonb_build_object('name', name, 'version', version) order by id), '[]')
                            from guest where id = any(\(subject.everyone)) and not gone),
                        'invitations', (
                            select coalesce(jsonb_agg(jsonb_build_object(
                                'meeting', meeting.id, 'day', meeting.day, 'theme', meeting.theme,
                                'guestOfHonour', guest_of_honour, 'state', state, 'createdAt', invitation.created_at,
                                'updatedAt', invitation.updated_at) order by meeting.day), '[]')
                            from invitation join circle_meeting meeting on meeting.id = invitation.meeting
                            where person = any(\(subject.everyone))),
                        'attendance', (
                            select coalesce(jsonb_agg(jsonb_build_object(
                                'meeting', meeting.id, 'day', meeting.day, 'recordedAt', recorded_at)
                                order by meeting.day), '[]')
                            from attendance join circle_meeting meeting on meeting.id = attendance.meeting
                            where person = any(\(subject.everyone))))) as data
                """))
    }
}
