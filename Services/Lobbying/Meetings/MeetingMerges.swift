import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of following the directory's merges of people. A person who was invited to a meeting twice keeps the
/// invitation that was answered, preferably the accepted one; the other is set aside until the merge is undone.
enum MergeStore {
    static func isFollowed(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.first("select from merge where id = \(id) for update") != nil
    }

    /// Locks the meetings that concern either of the two, as every change of a meeting's lists does.
    static func lockMeetings(of people: [DirectoryRecord.ID]) -> SQL {
        """
        select id from circle_meeting
        where id in (select meeting from invitation where person = any(\(people)))
            or id in (select meeting from attendance where person = any(\(people)))
        order by id for update
        """
    }

    static func setAside(_ merge: MergeNotice) -> SQL {
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
        ), remembered as (
            insert into merge (id, survivor, merged, invitations, meetings, invitations_aside, attendances_aside)
            select \(merge.id), \(merge.survivor), \(merge.merged), '{}', '{}',
                coalesce((select jsonb_agg(to_jsonb(uninvited)) from uninvited), '[]'),
                coalesce((select jsonb_agg(to_jsonb(absent)) from absent), '[]')
        ), moved as (
            update circle_meeting set version = version + 1, updated_at = now()
            where id in (select meeting from uninvited union select meeting from absent)
        )
        select id from uninvited
        """
    }

    static func move(_ merge: MergeNotice) -> SQL {
        """
        with invited as (
            update invitation set person = \(merge.survivor), version = version + 1, updated_at = now()
            where person = \(merge.merged)
            returning id, version
        ), came as (
            update attendance set person = \(merge.survivor) where person = \(merge.merged) returning meeting
        ), remembered as (
            update merge set
                invitations = array(select id from invited), meetings = array(select meeting from came)
            where id = \(merge.id)
        )
        select id, version from invited
        """
    }

    // MARK: Undoing

    static func moveBack(_ merge: Merge.ID) -> SQL {
        """
        with came as (
            update attendance set person = merge.merged from merge
            where merge.id = \(merge) and attendance.meeting = any(merge.meetings) and attendance.person = merge.survivor
        )
        update invitation set person = merge.merged, version = version + 1, updated_at = now() from merge
        where merge.id = \(merge) and invitation.id = any(merge.invitations) and invitation.person = merge.survivor
        returning invitation.id, invitation.version
        """
    }

    /// Restores what was set aside, unless the person has been invited again.
    static func bringBack(_ merge: Merge.ID) -> SQL {
        """
        with came as (
            insert into attendance
            select (jsonb_populate_record(null::attendance, image)).*
            from merge cross join jsonb_array_elements(attendances_aside) as image where merge.id = \(merge)
            on conflict do nothing
            returning meeting
        ), invited as (
            insert into invitation
            select (jsonb_populate_record(null::invitation, image || jsonb_build_object(
                'version', (image ->> 'version')::integer + 1, 'updated_at', now()))).*
            from merge cross join jsonb_array_elements(invitations_aside) as image where merge.id = \(merge)
            on conflict do nothing
            returning id, meeting, version
        ), moved as (
            update circle_meeting set version = version + 1, updated_at = now()
            where id in (select meeting from came union select meeting from invited)
        )
        select id, version from invited
        """
    }

    static func forget(_ merge: Merge.ID) -> SQL { "delete from merge where id = \(merge)" }

    /// Deletes what the merges keep about people who were erased.
    static func forget(_ people: [Person.ID]) -> SQL {
        "delete from merge where survivor = any(\(people)) or merged = any(\(people))"
    }
}
