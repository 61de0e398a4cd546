import ClubProtocol
import Postgres
import ServiceKit

/// What merges of the directory's people and organizations do to registrations: they move to the survivor, and move back
/// when the merge is undone.
///
/// A person who had registered twice for an event keeps the registration that has come further. The other is set aside,
/// and its seat goes to the first person on the waitlist. When the merge is undone, that registration is restored:
/// to its seat if it is free, otherwise to its old place on the waitlist. No seat is ever given to two people.
enum RegistrationMerges {
    static let follower = MergeFollower([
        .person: MergeSteps(apply: apply, undo: undo),
        .organization: .moving(
            MergedRows("registration", naming: "organization"), .registration, by: .events),
    ])

    private static let rows = MergedRows("registration", naming: "person")

    @Sendable private static func apply(_ merge: MergeNotice, in transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([lockSessions(merge), setAside(merge), rows.move(merge)])
        let removed = results[1]
        try await transaction.record(.deleted, .registration, each: removed, by: .service(.events))
        try await transaction.record(.changed, .registration, each: results[2], by: .service(.events))
        for row in removed where try row["seated"] {
            let promoted = try await transaction.query(SeatStore.promote(in: try row["session"]))
            try await transaction.record(.changed, .registration, each: promoted, by: .service(.events))
        }
    }

    @Sendable private static func undo(_ merge: MergeNotice, in transaction: PostgresTransaction) async throws {
        let results = try await transaction.batch([
            lockSessions(setAsideBy: merge.id), rows.moveBack(merge), bringBack(merge.id),
        ])
        try await transaction.record(.changed, .registration, each: results[1], by: .service(.events))
        try await transaction.record(.created, .registration, each: results[2], by: .service(.events))
    }

    /// Locks the sessions of the events for which both have registered.
    private static func lockSessions(_ merge: MergeNotice) -> SQL {
        """
        select id from session where id in (
            select session from registration own
            where person in (\(merge.survivor), \(merge.merged)) and state <> 'cancelled' and exists (
                select from registration other
                where other.event = own.event and other.person in (\(merge.survivor), \(merge.merged))
                    and other.person <> own.person and other.state <> 'cancelled'))
        order by id for update
        """
    }

    /// Removes the lesser of two registrations for one event, and keeps a copy.
    private static func setAside(_ merge: MergeNotice) -> SQL {
        """
        with ranked as (
            select id, count(*) over (partition by event) as count, row_number() over (
                partition by event
                order by array_position('{attended,confirmed,noShow,waitlisted}', state), line_order) as rank
            from registration
            where person in (\(merge.survivor), \(merge.merged)) and state <> 'cancelled'
        ), removed as (
            delete from registration using ranked
            where registration.id = ranked.id and count = 2 and rank = 2
            returning registration.*
        ), stored as (
            update applied_merge set aside = jsonb_build_object(
                'registration', (select coalesce(jsonb_agg(to_jsonb(removed)), '[]') from removed))
            where id = \(merge.id)
        )
        select id, session, takes_seat(state) = 1 as seated from removed
        """
    }

    private static func lockSessions(setAsideBy merge: Merge.ID) -> SQL {
        """
        select session.id from session
        where session.id in (
            select (image ->> 'session')::uuid
            from applied_merge, jsonb_array_elements(aside -> 'registration') as image
            where applied_merge.id = \(merge))
        order by session.id for update
        """
    }

    /// Restores what was set aside, unless the person has registered again. If the seat has been taken since, the
    /// registration joins the waitlist.
    private static func bringBack(_ merge: Merge.ID) -> SQL {
        """
        insert into registration overriding system value
        select (jsonb_populate_record(null::registration, image || jsonb_build_object(
            'state', case when takes_seat(image ->> 'state') = 1 and session.confirmed >= session.capacity then 'waitlisted'
                else image ->> 'state' end,
            'version', (image ->> 'version')::integer + 1, 'updated_at', now()))).*
        from applied_merge cross join jsonb_array_elements(aside -> 'registration') as image
            join session on session.id = (image ->> 'session')::uuid
        where applied_merge.id = \(merge) and not exists (
            select from registration
            where registration.event = (image ->> 'event')::uuid and registration.state <> 'cancelled'
                and registration.person = (image ->> 'person')::uuid)
        returning id, version
        """
    }
}
