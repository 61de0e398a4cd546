import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of following the directory's merges: registrations move to the survivor, and move back when the merge is
/// undone.
///
/// A person who had registered twice for an event keeps the registration that has come further. The other is set aside,
/// and its seat goes to the first person on the waiting list. When the merge is undone, that registration is restored:
/// to its seat if it is free, otherwise to its old place on the waiting list. No seat is ever given to two people.
enum MergeStore {
    static func isFollowed(_ id: Merge.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.first("select from merge where id = \(id) for update") != nil
    }

    /// Locks the sessions of the events for which both have registered.
    static func lockSessions(_ merge: MergeNotice) -> SQL {
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
    static func setAside(_ merge: MergeNotice) -> SQL {
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
        ), remembered as (
            insert into merge (id, kind, survivor, merged, moved, aside)
            select \(merge.id), 'person', \(merge.survivor), \(merge.merged), '{}',
                coalesce((select jsonb_agg(to_jsonb(removed)) from removed), '[]')
        )
        select id, session, takes_seat(state) = 1 as seated from removed
        """
    }

    static func move(_ merge: MergeNotice) -> SQL {
        """
        with moved as (
            update registration set person = \(merge.survivor), version = version + 1, updated_at = now()
            where person = \(merge.merged)
            returning id, version
        ), remembered as (
            update merge set moved = array(select id from moved) where id = \(merge.id)
        )
        select id, version from moved
        """
    }

    /// Gives the registrations of a merged organization the identifier of the survivor.
    static func moveOrganization(_ merge: MergeNotice) -> SQL {
        """
        with moved as (
            update registration set organization = \(merge.survivor), version = version + 1, updated_at = now()
            where organization = \(merge.merged)
            returning id, version
        ), remembered as (
            insert into merge (id, kind, survivor, merged, moved)
            select \(merge.id), 'organization', \(merge.survivor), \(merge.merged), array(select id from moved)
        )
        select id, version from moved
        """
    }

    // MARK: Undoing

    static func lockSessions(of merge: Merge.ID) -> SQL {
        """
        select session.id from session
        where session.id in (
            select (image ->> 'session')::uuid from merge, jsonb_array_elements(aside) as image where merge.id = \(merge))
        order by session.id for update
        """
    }

    static func moveBack(_ merge: Merge.ID) -> SQL {
        """
        update registration set
            person = case when merge.kind = 'person' then merge.merged else person end,
            organization = case when merge.kind = 'organization' then merge.merged else organization end,
            version = version + 1, updated_at = now()
        from merge
        where merge.id = \(merge) and registration.id = any(merge.moved)
            and merge.survivor = case merge.kind when 'person' then person else organization end
        returning registration.id, registration.version
        """
    }

    /// Restores what was set aside, unless the person has registered again. If the seat has been taken since, the
    /// registration joins the waiting list.
    static func bringBack(_ merge: Merge.ID) -> SQL {
        """
        insert into registration overriding system value
        select (jsonb_populate_record(null::registration, image || jsonb_build_object(
            'state', case when takes_seat(image ->> 'state') = 1 and session.confirmed >= session.capacity then 'waitlisted'
                else image ->> 'state' end,
            'version', (image ->> 'version')::integer + 1, 'updated_at', now()))).*
        from merge cross join jsonb_array_elements(aside) as image
            join session on session.id = (image ->> 'session')::uuid
        where merge.id = \(merge) and not exists (
            select from registration
            where registration.event = (image ->> 'event')::uuid and registration.state <> 'cancelled'
                and registration.person = (image ->> 'person')::uuid)
        returning id, version
        """
    }

    static func forget(_ merge: Merge.ID) -> SQL { "delete from merge where id = \(merge)" }

    /// Deletes what the merges keep about people who were erased.
    static func forget(_ people: [Person.ID]) -> SQL {
        "delete from merge where survivor = any(\(people)) or merged = any(\(people))"
    }
}
