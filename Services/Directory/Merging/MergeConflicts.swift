import ClubProtocol
import Postgres
import ServiceKit

/// What two records cannot both bring into one: found before anything is moved.
enum MergeConflicts {
    /// A row of the merged record that duplicates one of the survivor's; it is set aside.
    struct Twin: Decodable {
        var survivor: DirectoryRecord.ID
        var merged: DirectoryRecord.ID
    }

    private struct Obstacle: Decodable {
        var detail: String
    }

    /// - Throws: 409 naming each conflicting row.
    static func check(_ body: MergeRecords.Body, in transaction: PostgresTransaction) async throws {
        let statement: SQL =
            switch body.kind {
            case .person: "(\(mandatesOfPeople(body))) union all \(erasures(body))"
            case .organization: ofOrganizations(body)
            case .expert: erasures(body)
            }
        let obstacles = try await transaction.query(statement).decode(Obstacle.self)
        guard obstacles.isEmpty else {
            throw Problem(
                .mergeBlocked, "Resolve these conflicts, or merge the other way round.",
                errors: obstacles.prefix(50).map { .init("/merged", $0.detail) })
        }
    }

    /// Rows that are set aside, by table; in an order in which they can be deleted.
    static func twins(_ body: MergeRecords.Body, in transaction: PostgresTransaction) async throws -> [(SQL, Twin)] {
        var result: [(SQL, Twin)] = []
        func add(_ table: SQL, _ statement: SQL) async throws {
            result += try await transaction.query(statement).decode(Twin.self).map { (table, $0) }
        }
        switch body.kind {
        case .person:
            // No one is enrolled twice. A person enrolled by either record is enrolled, and the latest values count.
            let twins = try await transaction.query(
                """
                select stays.id as survivor, goes.id as merged from ambassador stays, ambassador goes
                where stays.person = any(\([body.survivor, body.merged]))
                    and goes.person = any(\([body.survivor, body.merged]))
                    and (stays.left_on is null, stays.confirmed_at, stays.person = \(body.survivor))
                        > (goes.left_on is null, goes.confirmed_at, goes.person = \(body.survivor))
                for update
                """
            ).decode(Twin.self)
            for twin in twins {
                try await add("'directory.confirmation_request'::regclass", requests("ambassador", twin))
            }
            result += twins.map { ("'directory.ambassador'::regclass", $0) }
            try await add(
                "'directory.mandate'::regclass",
                """
                select own.id as survivor, other.id as merged
                from mandate other join mandate own using (organization, kind)
                where other.person = \(body.merged) and own.person = \(body.survivor) and own.during @> other.during
                order by other.id
                """)
        case .organization:
            try await add(
                "'directory.mandate'::regclass",
                """
                select own.id as survivor, other.id as merged from mandate other join mandate own using (person, kind)
                where other.organization = \(body.merged) and own.organization = \(body.survivor)
                    and own.during @> other.during
                order by other.id
                """)
            try await add(
                "'directory.membership'::regclass",
                """
                select own.id as survivor, other.id as merged from membership other join membership own using (tier)
                where other.organization = \(body.merged) and own.organization = \(body.survivor)
                    and own.during @> other.during
                order by other.id
                """)
        case .expert:
            try await add(
                "'directory.confirmation_request'::regclass",
                requests("expert", Twin(survivor: body.survivor, merged: body.merged)))
            try await holdReferrals(body, in: transaction)
            try await add("'directory.referral_offer'::regclass", offers(body))
        }
        return result
    }

    /// Records from the same import were confirmed at the same time, and asked at the same steps.
    private static func requests(_ enrollee: SQL, _ twin: Twin) -> SQL {
        """
        select own.id as survivor, other.id as merged
        from confirmation_request other join confirmation_request own using (confirmed_at, step)
        where other.\(enrollee) = \(twin.merged) and own.\(enrollee) = \(twin.survivor)
        order by other.id for update of other
        """
    }

    /// Answering an offer locks its referral first; so what is set aside below is in its final state.
    private static func holdReferrals(_ body: MergeRecords.Body, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            select from referral
            where id in (
                select referral from referral_offer where expert = \(body.survivor)
                intersect select referral from referral_offer where expert = \(body.merged))
            order by id for update
            """)
    }

    /// Of a referral that was sent to both, the offer that got furthest is kept, whichever record has it.
    private static func offers(_ body: MergeRecords.Body) -> SQL {
        let states: [ReferralOffer.State] = [.done, .accepted, .sent, .abandoned, .declined, .expired, .withdrawn]
        return """
            select stays.id as survivor, goes.id as merged
            from (
                select distinct on (referral) id, referral, expert from referral_offer
                where expert = any(\([body.survivor, body.merged]))
                order by referral, array_position(\(states.map(\.rawValue)), state), expert <> \(body.survivor), id
            ) as stays join referral_offer as goes using (referral)
            where goes.expert = any(\([body.survivor, body.merged])) and goes.expert <> stays.expert
            order by goes.id
            """
    }

    /// A pending erasure would not find the merged record; and of the survivor it would erase more than was asked for.
    private static func erasures(_ body: MergeRecords.Body) -> SQL {
        """
        select 'erasure ' || id || ' of the '
            || case when subject = \(body.survivor) then 'survivor' else 'merged record' end || ' is ' || state as detail
        from erasure
        where subject = any(\([body.survivor, body.merged])) and entity = \(body.kind) and state in ('requested', 'erasing')
        """
    }

    /// A mandate that overlaps one of the survivor's without being contained in it: people must decide which days are
    /// right.
    private static func mandatesOfPeople(_ body: MergeRecords.Body) -> SQL {
        """
        select 'mandate ' || other.id || ' overlaps mandate ' || own.id || ' of the survivor' as detail
        from mandate other join mandate own using (organization, kind)
        where other.person = \(body.merged) and own.person = \(body.survivor)
            and own.during && other.during and not own.during @> other.during
        order by other.from_day, other.id
        """
    }

    private static func ofOrganizations(_ body: MergeRecords.Body) -> SQL {
        """
        select 'mandate ' || other.id || ' overlaps mandate ' || own.id || ' of the survivor' as detail
        from mandate other join mandate own using (kind)
        where other.organization = \(body.merged) and own.organization = \(body.survivor)
            and own.during && other.during
            and (own.person = other.person or kind = 'titular')
            and not (own.person = other.person and own.during @> other.during)
        union all
        select 'membership ' || other.id || ' overlaps membership ' || own.id || ' of the survivor'
        from membership other, membership own
        where other.organization = \(body.merged) and own.organization = \(body.survivor)
            and own.during && other.during and not (own.tier = other.tier and own.during @> other.during)
        union all
        select 'contribution ' || other.id || ' is for ' || year || ', as is contribution ' || own.id || ' of the survivor'
        from contribution other join contribution own using (year)
        where other.organization = \(body.merged) and own.organization = \(body.survivor)
            and other.cancelled_on is null and own.cancelled_on is null
            and other.complements is null and own.complements is null
        union all
        select 'the survivor is a branch below a branch of it'
        where exists (
            with recursive head (id) as (
                select parent.parent from organization own join organization parent on parent.id = own.parent
                where own.id = \(body.survivor) and own.parent <> \(body.merged)
                union
                select organization.parent from organization join head using (id))
            select from head where id = \(body.merged))
        """
    }

    /// Before the merged organization goes: the survivor is no longer a branch of it, and does not become a branch of
    /// its own branches.
    ///
    /// - Returns: the rows as they are to be merged.
    static func unlink(
        _ images: (survivor: MergeRules.Image, merged: MergeRules.Image), _ body: MergeRecords.Body,
        in transaction: PostgresTransaction
    ) async throws -> (survivor: MergeRules.Image, merged: MergeRules.Image) {
        guard body.kind == .organization else { return images }
        var (survivor, merged) = images
        if survivor["parent"]?.string == body.merged.text {
            try await transaction.execute("update organization set parent = null where id = \(body.survivor)")
            survivor["parent"] = .null
        }
        let below = try await transaction.first(
            """
            with recursive head (id) as (
                select parent from organization where id = \(body.merged)
                union
                select organization.parent from organization join head using (id))
            select from head where id = \(body.survivor)
            """)
        if below != nil { merged["parent"] = .null }
        return (survivor, merged)
    }
}
