import ClubProtocol
import Postgres
import ServiceKit

/// What merges of the directory's people do to meetings: invitations and attendances move to the survivor, and move back
/// when the merge is undone. A person who was invited to a meeting twice keeps the invitation that was answered,
/// preferably the accepted one; the other is set aside.
enum MeetingMerges {
    static let follower = MergeFollower([.person: MergeSteps(apply: apply, undo: undo)])

    private static let invitations = MergedRows("invitation", naming: "person")
    private static let attendances = MergedRows("attendance", naming: "person", key: "meeting", isVersioned: false)

    @Sendable private static func apply(_ merge: MergeNotice, in transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            lockMeetings(merge), setAside(merge), invitations.move(merge), attendances.move(merge),
        ])
        try await transaction.record(.deleted, .invitation, each: results[1], by: .service(.lobbying))
        try await transaction.record(.changed, .invitation, each: results[2], by: .service(.lobbying))
    }

    @Sendable private static func undo(_ merge: MergeNotice, in transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            lockMeetings(merge), invitations.moveBack(merge), attendances.moveBack(merge), bringBack(merge.id),
        ])
        try await transaction.record(.changed, .invitation, each: results[1], by: .service(.lobbying))
        try await transaction.record(.created, .invitation, each: results[3], by: .service(.lobbying))
    }

    /// Locks the meetings that concern either of the two, as every change of a meeting's lists does.
    private static func lockMeetings(_ merge: MergeNotice) -> SQL {
        """
        select id from circle_meeting
        where id in (select meeting from invitation where person in (\(merge.survivor), \(merge.merged)))
            or id in (select meeting from attendance where person in (\(merge.survivor), \(merge.merged)))
        order by id for update
        """
    }

    private static func setAside(_ merge: MergeNotice) -> SQL {
        """
        with ranked as (
            select id, row_number() over (
                partition by meeting
                order by array_position('{accepted,declined,invited}', state), guest_of_honour desc, id) as rank
            from invitation where person in (\(merge.survivor), \(merge.merged))
        ), uninvited as (
            delete from invitation using ranked where invitation.id = ranked.id and rank = 2 returning invitation.*
        ), absent as (
            delete from attendance
            where person = \(merge.merged)
                and meeting in (select meeting from attendance where person = \(merge.survivor))
            returning *
        ), stored as (
            update applied_merge set aside = jsonb_build_object(
                'invitation', (select coalesce(jsonb_agg(to_jsonb(uninvited)), '[]') from uninvited),
                'attendance', (select coalesce(jsonb_agg(to_jsonb(absent)), '[]') from absent))
            where id = \(merge.id)
        ), touched as (
            update circle_meeting set version = version + 1, updated_at = now()
            where id in (select meeting from uninvited union select meeting from absent)
        )
        select id from uninvited
        """
    }

    /// Restores what was set aside, unless the person has been invited again.
    private static func bringBack(_ merge: Merge.ID) -> SQL {
        """
        with came as (
            insert into attendance
            select (jsonb_populate_record(null::attendance, image)).*
            from applied_merge cross join jsonb_array_elements(aside -> 'attendance') as image
            where applied_merge.id = \(merge)
            on conflict do nothing
            returning meeting
        ), invited as (
            insert into invitation
            select (jsonb_populate_record(null::invitation, image || jsonb_build_object(
                'version', (image ->> 'version')::integer + 1, 'updated_at', now()))).*
            from applied_merge cross join jsonb_array_elements(aside -> 'invitation') as image
            where applied_merge.id = \(merge)
            on conflict do nothing
            returning id, meeting, version
        ), touched as (
            update circle_meeting set version = version + 1, updated_at = now()
            where id in (select meeting from came union select meeting from invited)
        )
        select id, version from invited
        """
    }
}
