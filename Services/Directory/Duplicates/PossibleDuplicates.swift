import ClubProtocol
import Postgres
import ServiceKit

/// Looks for records that may be duplicates, by the rules of the nightly scan, before a record is entered and after.
enum PossibleDuplicates {
    private static let limit = 20

    /// Possible duplicates of a record that does not exist yet.
    ///
    /// - Parameter isVisible: which records of the kind the caller may see.
    /// - Throws: 422 for values that a record of the kind does not have.
    static func find(
        _ body: FindPossibleDuplicates.Body, where isVisible: SQL, on executor: any PostgresExecutor
    ) async throws -> Rows {
        try check(body)
        return try await find(candidate(body), body.kind, where: isVisible, on: executor)
    }

    /// The response after entering a record: the record, and its possible duplicates.
    ///
    /// - Parameter isVisible: which records of the kind the caller may see.
    static func answer<Value>(
        _ rows: Rows, _ id: DirectoryRecord.ID, _ kind: RecordKind, where isVisible: SQL,
        in transaction: PostgresTransaction
    ) async throws -> RouteResponse<Value> {
        let found = try await find(
            "select * from \(kind.table) where id = \(id)", kind, where: isVisible, on: transaction)
        guard !found.isEmpty, let first = rows.first else { return try .row(rows) }
        var bytes: [UInt8] = []
        rows.writeJSON(row: 0, into: &bytes)
        bytes.removeLast()
        bytes.append(contentsOf: #","possibleDuplicates":"#.utf8)
        found.writeJSONArray(range: 0..<found.count, into: &bytes)
        bytes.append(UInt8(ascii: "}"))
        return .json(bytes, version: try? first.optional("version", as: Int.self))
    }

    /// - Parameter candidate: one row, as a `select`, with the columns of the kind's table that are compared.
    private static func find(
        _ candidate: SQL, _ kind: RecordKind, where isVisible: SQL, on executor: any PostgresExecutor
    ) async throws -> Rows {
        try await executor.query(
            """
            with \(DuplicateScanner.alike(candidate, kind))
            select record.id, \(name(kind)) as name, score, reasons
            from (
                select other as id, greatest(0, least(100, sum(weight)))::integer as score,
                    json_agg(json_build_object('rule', rule, 'weight', weight) order by weight desc, rule) as reasons
                from reason group by other
                having sum(weight) >= \(DuplicateScanner.threshold)) as scored
                join \(kind.table) as record using (id)
            where record.id in (select id from \(kind.table) where \(isVisible))
            order by score desc, record.id limit \(limit)
            """)
    }

    private static func name(_ kind: RecordKind) -> SQL {
        switch kind {
        case .person: SQL.personName(of: "record")
        case .organization, .expert: "record.name"
        }
    }

    private static func check(_ body: FindPossibleDuplicates.Body) throws(Problem) {
        let ofFirms: [(String, Bool)] = [
            ("/name", body.name != nil), ("/siren", body.siren != nil), ("/siret", body.siret != nil),
            ("/website", body.website != nil), ("/postalCode", body.postalCode != nil),
            ("/departement", body.departement != nil), ("/parent", body.parent != nil),
        ]
        let ofPeople: [(String, Bool)] = [
            ("/givenName", body.givenName != nil), ("/familyName", body.familyName != nil),
            ("/otherEmails", body.otherEmails != nil), ("/otherTelephones", body.otherTelephones != nil),
            ("/organization", body.organization != nil),
        ]
        let others = body.kind == .person ? ofFirms : ofPeople
        if let other = others.first(where: \.1) { throw .invalid(other.0, "does not apply to this kind of record") }
        guard body.kind == .expert else { return }
        if body.siren != nil { throw .invalid("/siren", "is part of the SIRET") }
        if body.parent != nil { throw .invalid("/parent", "does not apply to this kind of record") }
    }

    private static func candidate(_ body: FindPossibleDuplicates.Body) -> SQL {
        let departement = body.departement ?? body.postalCode.flatMap { Departement(postalCode: $0) }
        return switch body.kind {
        case .person:
            """
            select *, family_name || coalesce(' ' || given_name, '') as full_name,
                directory.sort_key(family_name || coalesce(' ' || given_name, '')) collate "C" as sort_key
            from (
                select gen_random_uuid() as id, \(body.givenName)::text as given_name,
                    \(body.familyName)::text as family_name, \(body.email)::text as email,
                    \(body.otherEmails ?? [])::text[] as other_emails, \(body.telephone)::text as telephone,
                    \(body.otherTelephones ?? [])::text[] as other_telephones, \(body.organization)::uuid as organization) as said
            """
        case .organization:
            """
            select *, coalesce(said_siren, left(siret, 9)) as siren
            from (
                select gen_random_uuid() as id, \(body.name)::text as name, \(body.siren)::text as said_siren,
                    \(body.siret)::text as siret, \(body.email)::text as email, \(body.telephone)::text as telephone,
                    \(body.website)::text as website, \(body.postalCode)::text as postal_code,
                    \(departement)::text as departement, \(body.parent)::uuid as parent, '[]'::jsonb as mailboxes) as said
            """
        case .expert:
            """
            select *, directory.name_key(name) collate "C" as name_key
            from (
                select gen_random_uuid() as id, \(body.name)::text as name, \(body.siret)::text as siret,
                    \(body.email)::text as email, \(body.telephone)::text as telephone,
                    \(body.website)::text as website, \(body.postalCode)::text as postal_code,
                    \(departement)::text as departement) as said
            """
        }
    }
}

extension DuplicateScanner {
    /// One record against all others, as common table expressions whose last one is `reason (other, rule, weight)`.
    fileprivate static func alike(_ candidate: SQL, _ kind: RecordKind) -> SQL {
        """
        changed as materialized (\(candidate)),
        hit as (\(hits(of: kind))),
        pair as (
            select distinct other, rule, weight
            from (select *, count(*) over (partition by one, rule) as company from hit) as hit
            where company <= \(crowd)),
        reason as (
            select * from pair
            union all
            select other, rule, weight from (select distinct other from pair) as pair
                cross join changed a join \(kind.table) b on b.id = other
                cross join lateral (\(circumstances(of: kind))) as circumstance (rule, weight, holds)
            where holds)
        """
    }
}
