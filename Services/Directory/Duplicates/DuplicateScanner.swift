import ClubProtocol
import FoundationEssentials
import Postgres
import ServiceKit

/// Looks for pairs: a batch of records at a time, each against the records that share a key with it. Every key has an
/// index, and a key that many share is ignored; so a scan costs a few look-ups per record, however many records there
/// are.
enum DuplicateScanner {
    /// The position of a scan in the records of a kind, ordered by their last changes.
    struct Position: Decodable {
        var at: Timestamp
        var id: DirectoryRecord.ID
    }

    struct Progress: Decodable {
        var examined: Int
        var found: Int
        var dropped: Int
        var at: Timestamp?
        var id: DirectoryRecord.ID?
    }

    /// Records examined by one statement.
    static let batch = 2000
    /// A key shared with more other records than this says nothing about any of them: the switchboard of a network, a
    /// free mail host.
    static let crowd = 20
    /// The minimum similarity of two names.
    private static let likeness = 0.6
    /// A pair below this weight is not worth reviewing.
    static let threshold = 40

    /// Examines the next records of a kind, and updates their pairs.
    ///
    /// - Returns: `at` and `id` are nil when there were no more.
    static func step(
        _ kind: RecordKind, after position: Position, in transaction: PostgresTransaction
    ) async throws -> Progress {
        try await examine(
            """
            select * from \(kind.table)
            where (updated_at, id) > (\(position.at), \(position.id)) order by updated_at, id
            limit \(batch)
            """, kind, in: transaction)
    }

    /// Examines some records of a kind, and updates their pairs.
    ///
    /// - Parameter records: their rows, as a `select`.
    static func examine(
        _ records: SQL, _ kind: RecordKind, in transaction: PostgresTransaction
    ) async throws -> Progress {
        let row = try await transaction.first(
            """
            with changed as materialized (\(records)),
            hit as (\(hits(of: kind))),
            pair as (
                select distinct least(one, other) as first, greatest(one, other) as second, rule, weight
                from (select *, count(*) over (partition by one, rule) as company from hit) as hit
                where company <= \(crowd)),
            reason as (
                select * from pair
                union all
                select first, second, rule, weight from (select distinct first, second from pair) as pair
                    join \(kind.table) a on a.id = first join \(kind.table) b on b.id = second
                    cross join lateral (\(circumstances(of: kind))) as circumstance (rule, weight, holds)
                where holds),
            scored as (
                select first, second, greatest(0, least(100, sum(weight)))::integer as score,
                    jsonb_agg(jsonb_build_object('rule', rule, 'weight', weight) order by weight desc, rule) as reasons
                from reason group by first, second
                having sum(weight) >= \(threshold)),
            written as (
                insert into duplicate (id, kind, first, second, score, reasons)
                select gen_random_uuid(), \(kind), first, second, score, reasons from scored
                order by first, second
                on conflict (kind, first, second) do update
                set score = excluded.score, reasons = excluded.reasons, version = duplicate.version + 1, updated_at = now()
                where duplicate.state = 'open'
                    and (duplicate.score, duplicate.reasons) is distinct from (excluded.score, excluded.reasons)
                returning version),
            known as (
                select duplicate.id, first, second from changed join duplicate on first = changed.id
                where duplicate.kind = \(kind) and duplicate.state = 'open'
                union
                select duplicate.id, first, second from changed join duplicate on second = changed.id
                where duplicate.kind = \(kind) and duplicate.state = 'open'),
            dropped as (
                delete from duplicate using known
                where duplicate.id = known.id and not exists (
                    select from scored where scored.first = known.first and scored.second = known.second)
                returning duplicate.id),
            last as (select updated_at, id from changed order by updated_at desc, id desc limit 1)
            select (select count(*) from changed) as examined,
                (select count(*) from written where version = 1) as found, (select count(*) from dropped) as dropped,
                (select updated_at from last) as at, (select id from last) as id
            """)
        guard let row else { return Progress(examined: 0, found: 0, dropped: 0) }
        return try row.decode(Progress.self)
    }

    /// Deletes open pairs of records that no longer exist. Each is looked up by itself: otherwise the planner would
    /// read all records.
    static func sweep(_ kind: RecordKind, in transaction: PostgresTransaction) async throws -> Int {
        try await transaction.execute(
            """
            delete from duplicate
            where duplicate.kind = \(kind) and duplicate.state = 'open' and (
                (select record.id from \(kind.table) record where record.id = first) is null
                or (select record.id from \(kind.table) record where record.id = second) is null)
            """)
    }

    /// Each look-up stops at one more than `crowd`.
    private static func hit(_ rule: Duplicate.Rule, _ kind: RecordKind, _ condition: SQL) -> SQL {
        """
        select changed.id as one, other.id as other, \(rule)::text as rule, \(rule.weight)::bigint::integer as weight
        from changed cross join lateral (
            select other.id from \(kind.table) other where \(condition) and other.id <> changed.id
            limit \(crowd + 1)) as other
        """
    }

    static func hits(of kind: RecordKind) -> SQL {
        let found: [SQL] =
            switch kind {
            case .organization:
                [
                    hit(.sameSiren, kind, "other.siren = changed.siren"),
                    hit(
                        .similarNameAndPostalCode, kind,
                        similar("directory.name_key(other.name)", "directory.name_key(changed.name)")
                            + " and other.postal_code = changed.postal_code"),
                    hit(
                        .sameEmail, kind,
                        """
                        other.id = any(array(
                            select record from address_held
                            where kind = 'organization' and directory.mailbox_key(address_held.email) = any(array(
                                select directory.mailbox_key(address) from unnest(directory.all_emails(
                                    changed.email, directory.mailbox_emails(changed.mailboxes))) as address))
                            limit \(crowd + 2)))
                        """),
                ] + sameNames(kind) + contacts(kind)
            case .expert:
                [
                    hit(.sameSiren, kind, "left(other.siret, 9) = left(changed.siret, 9)"),
                    hit(
                        .similarNameAndPostalCode, kind,
                        similar("other.name_key", "changed.name_key")
                            + " and other.postal_code = changed.postal_code"),
                    hit(.sameEmail, kind, "lower(other.email) = lower(changed.email)"),
                ] + sameNames(kind) + contacts(kind)
            case .person:
                [
                    hit(
                        .sameName, kind,
                        "directory.name_key(other.full_name) = directory.name_key(changed.full_name)"),
                    hit(
                        .swappedNames, kind,
                        """
                        directory.name_key(\(SQL.personName(of: "other")))
                            = directory.name_key(changed.full_name)
                        and directory.name_key(other.full_name) <> directory.name_key(changed.full_name)
                        """),
                    hit(
                        .similarNameInOrganization, kind,
                        similar("other.sort_key", "changed.sort_key")
                            + """
                             and other.organization = changed.organization
                            and directory.name_key(other.full_name) <> directory.name_key(changed.full_name)
                            """),
                    hit(
                        .sameMailbox, kind,
                        """
                        other.id = any(array(
                            select record from address_held
                            where kind = 'person' and directory.mailbox_key(address_held.email) = any(array(
                                select directory.mailbox_key(address)
                                from unnest(directory.all_emails(changed.email, changed.other_emails)) as address))
                            limit \(crowd + 2)))
                        """),
                    hit(
                        .sameTelephone, kind,
                        "other.telephone = any(array_prepend(changed.telephone, changed.other_telephones))"),
                    hit(
                        .sameTelephone, kind,
                        """
                        other.other_telephones <> '{}'
                        and other.other_telephones && array_prepend(changed.telephone, changed.other_telephones)
                        """),
                ]
            }
        return found.joined(separator: " union all ")
    }

    /// Firms with the same name apart from the legal form, weighted by what is known of their places.
    private static func sameNames(_ kind: RecordKind) -> [SQL] {
        func hit(_ rule: Duplicate.Rule, _ condition: SQL) -> SQL {
            self.hit(
                rule, kind,
                """
                directory.payer_key(other.name) = directory.payer_key(changed.name)
                and directory.payer_key(changed.name) <> '' and \(condition)
                """)
        }
        let elsewhere: SQL = "(other.postal_code = changed.postal_code) is not true"
        return [
            hit(.sameNameAndPostalCode, "other.postal_code = changed.postal_code"),
            hit(.sameNameAndDepartement, "other.departement = changed.departement and \(elsewhere)"),
            hit(.sameName, "(other.departement is null or changed.departement is null) and \(elsewhere)"),
        ]
    }

    private static func contacts(_ kind: RecordKind) -> [SQL] {
        [
            hit(
                .sameTelephone, kind,
                "other.telephone = changed.telephone"),
            hit(
                .sameWebsite, kind,
                "directory.website_host(other.website) = directory.website_host(changed.website)"),
        ]
    }

    /// Names that start with the same three letters, so that the index finds them, and are similar enough. The
    /// highest code point ends the range.
    private static func similar(_ other: SQL, _ changed: SQL) -> SQL {
        """
        \(other) collate "C" >= left(\(changed), 3) and \(other) collate "C" < left(\(changed), 3) || U&'\\+10FFFF'
        and \(other) <> \(changed) and directory.similarity(\(other), \(changed)) >= \(likeness)::real
        """
    }

    /// Rules that are only checked where another rule has found a pair.
    static func circumstances(of kind: RecordKind) -> SQL {
        func values(_ rule: Duplicate.Rule, _ condition: SQL) -> SQL {
            "(\(rule)::text, \(rule.weight)::bigint::integer, \(condition))"
        }
        return switch kind {
        case .organization:
            """
            values \(values(.differentSiret, "a.siret <> b.siret")),
                \(values(.sameNetwork, "a.parent = b.id or b.parent = a.id or a.parent = b.parent"))
            """
        case .expert: "values \(values(.differentSiret, "a.siret <> b.siret"))"
        case .person: "values \(values(.sameOrganization, "a.organization = b.organization"))"
        }
    }
}
