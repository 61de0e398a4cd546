import ClubProtocol
import Postgres
import ServiceKit

/// What the lobbying service owes people in the directory. Officials are not among them: the law on transparency
/// requires what is kept about them.
struct LobbyingRights {
    let backend: Backend
    let people: PeopleMirror

    func mount(on builder: inout ServiceBuilder) {
        builder.personalData(backend, erase: erase, tell: tell)
    }

    /// The record that a guest was invited and came stays with the meeting; who it was does not.
    @Sendable private func erase(
        _ notice: ErasureNotice, in transaction: PostgresTransaction
    ) async throws -> [AddressPeriod] {
        if notice.entity == .person { try await people.erase(notice.everyone, in: transaction) }
        return []
    }

    @Sendable private func tell(_ subject: ReadPersonalData.Body) async throws -> PersonalData {
        try PersonalData(
            of: .lobbying,
            await backend.database.first(
                """
                select greatest(
                        (select max(updated_at) from invitation where person = any(\(subject.everyone))),
                        (select max(recorded_at) from attendance where person = any(\(subject.everyone)))) as last,
                    jsonb_strip_nulls(jsonb_build_object(
                        'guests', \(PeopleMirror.described(subject.everyone)),
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
