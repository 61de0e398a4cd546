import ClubProtocol
import Postgres

/// What a record that is there becomes of what a row says: its own value gives way, or where only gaps are filled, stays.
/// Each gives a column of a `select` under the column's name.
struct ExistingRecord {
    let table: SQL
    let filling: Bool

    init(_ table: SQL, filling: Bool) {
        self.table = table
        self.filling = filling
    }

    /// - Parameter column: by its name in the API, where a row may empty it.
    func text(_ column: SQL, _ cell: SQL, emptiedAs name: String? = nil) -> SQL {
        filling
            ? "coalesce(\(table).\(column), \(cell)) as \(column)"
            : "coalesce(\(cell), \(kept(column, name, "null"))) as \(column)"
    }

    /// An empty list is a gap.
    func list(_ column: SQL, _ cell: SQL, emptiedAs name: String) -> SQL {
        filling
            ? "coalesce(nullif(\(table).\(column), '{}'), \(cell), '{}') as \(column)"
            : "coalesce(\(cell), \(kept(column, name, "'{}'"))) as \(column)"
    }

    /// Columns that say one thing together: those that are empty are filled, unless one that is not says something else.
    func together(_ columns: [(column: SQL, cell: SQL, name: String?)]) -> SQL {
        guard filling else {
            return columns.map { text($0.column, $0.cell, emptiedAs: $0.name) }.joined(separator: ", ")
        }
        let agree = columns.map { column, cell, _ -> SQL in
            "coalesce(directory.name_key(\(table).\(column)) = directory.name_key(\(cell)), true)"
        }.joined(separator: " and ")
        return columns.map { column, cell, _ -> SQL in
            "coalesce(\(table).\(column), case when \(agree) then \(cell) end) as \(column)"
        }.joined(separator: ", ")
    }

    private func kept(_ column: SQL, _ name: String?, _ nothing: SQL) -> SQL {
        guard let name else { return "\(table).\(column)" }
        return "case when \(name) = any(row.emptied) then \(nothing) else \(table).\(column) end"
    }

    /// What the row answers, as columns of the `select`. The record's own answers are read when it is written, and not here: a
    /// withdrawal that comes in between counts.
    static let consents: SQL = #"row.consents as choices, row."consentDate" as given_on, declined"#

    /// What was declined at the addresses of a row that answers, as `declined`: after the rows, in a `from`. Also by whoever else has one of
    /// them, or had it, of whatever kind: two records of one mailbox may be one reader.
    ///
    /// The hash is that of `directory.address_hash`, written out: as a function it would cost more than all else of the row. So would
    /// `declined_at`, if its argument were a subquery: then it were no part of the statement.
    ///
    /// - Parameters:
    ///   - emails: an array; null stands for no address.
    ///   - isApart: whether what `other` declined, the columns of `directory.declined_at`, says nothing of the row.
    static func declined(at emails: SQL, unless isApart: SQL = "false") -> SQL {
        let key: SQL = "select key from declined_address_key"
        // Of two the later one counts: it is the last of its key.
        return """
            cross join lateral (
                select jsonb_object_agg(purpose, declined_at order by declined_at) as declined
                from (
                    select purpose, declined_at from declined_address
                    where row.consents is not null and hash = any(array(
                        select sha256((\(key)) || sha256((\(key)) || convert_to(lower(email), 'UTF8')))
                        from unnest(\(emails)) as email where email is not null))
                    union all
                    select other.purpose, other.declined_at
                    from directory.declined_at(lower((\(emails))::text)::text[]) as other
                    where row.consents is not null and not \(isApart)) as each) as refused
            """
    }

    /// The answers of a record that was not there before.
    static let firstConsents: SQL = """
        case when "consentDate" is null and declined is null
            then directory.with_consents('{}', coalesce(consents, '{}'))
            else directory.with_imported_consents('{}', consents, "consentDate", declined, false) end
        """

    /// What the columns of ``consents`` make of the record's answers.
    var newConsents: SQL {
        """
        case when said.choices is null then \(table).consents else directory.with_imported_consents(
            \(table).consents, said.choices, said.given_on, said.declined, \(filling)) end
        """
    }
}

/// A yes or a no of a row that did not become the record's.
struct ImportLeftOut: Decodable {
    enum Reason: String, Decodable {
        /// The row does not say that it is newer.
        case undated
        /// What is there was to stay as it is.
        case skipped
        /// Only gaps were to be filled.
        case filled
        /// A new organization is hidden as another one of its name, or at its address, is.
        case namesake

        var detail: String {
            switch self {
            case .undated:
                "was left out: it was answered otherwise, and the row does not say that this is newer (consentDate, consentSource)"
            case .skipped: "was left out: it was answered otherwise, and the record stays as it is (existing=skip)"
            case .filled:
                "was left out: it was answered otherwise, and a yes fills only what was never answered (existing=fill)"
            case .namesake:
                "is no: another organization of this name is not to be shown, and the row does not say that this one is"
            }
        }
    }

    var row: Int
    /// By the name of its column in the API.
    var columns: [String]
    var reason: Reason
}

extension ImportLeftOut {
    /// Answers of rows that are written, or passed over, and that the records do not give now. Read after the rows were written, in the same
    /// transaction: so it is the same in every mode, whatever came in between.
    ///
    /// - Parameter rows: with their records.
    static func consents(
        _ rows: JSONText, of table: SQL, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        // Who was never asked, and is not now, was declined for at the address.
        let neverAsked: SQL =
            existing == .skip ? "false" : "(said = 'true' and not record.consents ? purpose)"
        return try await transaction.query(
            """
            select row.row, array_agg(purpose order by purpose) as columns, reason
            from jsonb_to_recordset(\(rows)) as row (row int, id uuid, consents jsonb, "consentDate" date)
                join \(table) as record using (id) cross join jsonb_each(row.consents) as answer (purpose, said)
                cross join lateral (
                    select \(reason(said: #"said = 'true' and record.consents ? purpose and "consentDate" is not null"#, existing))
                ) as why (reason)
            where jsonb_typeof(said) = 'boolean'
                and (record.consents -> purpose -> 'agreed' <> said or \(neverAsked))
            group by row.row, reason order by row.row, reason
            """
        ).decode(ImportLeftOut.self)
    }

    /// Why an answer was left out.
    ///
    /// - Parameter said: whether it is a yes with a day, for what was answered before.
    static func reason(said isDatedYes: SQL, _ existing: Import.Existing) -> SQL {
        switch existing {
        case .update: "\(Reason.undated.rawValue)::text"
        case .skip: "\(Reason.skipped.rawValue)::text"
        case .fill:
            "case when \(isDatedYes) then \(Reason.filled.rawValue)::text else \(Reason.undated.rawValue)::text end"
        }
    }
}

/// When two firms that share an address or a name are two: a weak key does not beat what speaks against it.
enum Firms {
    /// Of one address more records than this say nothing about each other: it is a network's, or a provider's.
    static let crowd = 50

    /// The records that have the address of a row, those of its name before all others, as the columns of a `select` from `row` and
    /// `other` that is grouped by row. Where there are none of its name, the row would give one of them another name.
    static let byAddress: SQL = """
        select row, coalesce(array_agg(other.id) filter (where is_namesake), array_agg(other.id)) as records,
            not bool_or(is_namesake) as is_renaming
        """

    /// Another SIRET or SIREN; or another name in another town. A firm that has moved, or has another name, is the same; but
    ///
    /// - no file gives a firm another name between its own lines: whom an earlier row was about, a row of another name is not;
    /// - where the record's name stays as it is, a row of another name that brings a SIRET, or a SIREN, is a firm of its own: it would be
    ///   lost, or its number would be another one's.
    ///
    /// - Parameter record: with `id`, `name_key`, `siren` (which its SIRET says, too), `siret`, `commune`, `postal_code`, and
    ///   `is_namesake`.
    static func areTwo(_ record: SQL, for matching: ImportMatching) -> SQL {
        let hasNumber: SQL =
            matching.existing == .update
            ? "false" : "not \(record).is_namesake and \(record).siren is null and row.siren is not null"
        // Before, whoever would get another name waits: see ``ImportPhase``.
        let isKnown: SQL =
            matching.phase < .settling
            ? "false"
            : """
            not \(record).is_namesake and (\(record).id = any(\(matching.taken)::uuid[]) or exists (
                select from import_row as earlier
                where earlier.record = \(record).id and earlier.import = \(matching.id)))
            """
        return "(\(areTwo(record)) or \(hasNumber) or \(isKnown))"
    }

    /// By number, name and town alone.
    ///
    /// - Parameters:
    ///   - record: as ``areTwo(_:for:)`` has it; an organization's own SIREN or that of its SIRET.
    ///   - row: with the same columns.
    static func areTwo(_ record: SQL, row: SQL = "row") -> SQL {
        """
        coalesce(
            \(record).siret <> \(row).siret or \(record).siren <> \(row).siren
            or \(record).name_key <> \(row).name_key and directory.are_two_towns(
                \(record).commune, \(record).postal_code, \(row).commune, nullif(\(row).postal_code, '')), false)
        """
    }
}

/// A row that says by an identifier whom it is about.
enum NamedRecord {
    /// What is wrong with the identifier; null where nothing is. A table of another system's may have identifiers of its own: those of the
    /// directory are of version 7 (RFC 9562, 5.7).
    ///
    /// - Parameters:
    ///   - found: the identifier of the record that has it, or null.
    ///   - kind: `person`.
    static func fault(_ found: SQL, kind: String) -> SQL {
        """
        case when row.identifier is not null and \(found) is null then (
            select why from directory.absence_of(\(kind), row.identifier) as why
            where not (
                coalesce(row."isForeign", false) and substr(row.identifier::text, 15, 1) <> '7'
                and why like 'There is no %')) end
        """
    }
}
