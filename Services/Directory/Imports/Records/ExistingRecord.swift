import ClubProtocol
import Postgres

/// How a row changes an existing record: its value replaces the record's, or, if only gaps are filled, is used only for
/// an empty one. Each function gives a column of a `select`, under the column's name.
struct ExistingRecord {
    let table: SQL
    let filling: Bool

    init(_ table: SQL, filling: Bool) {
        self.table = table
        self.filling = filling
    }

    /// - Parameter name: the column's name in the API, if a row may clear it.
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

    /// Columns that belong together: empty ones are filled, unless one that is not empty differs.
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

    /// The row's answers, as columns of the `select`. The record's own answers are read when it is written, not here,
    /// so that a withdrawal in between counts.
    static let consents: SQL = #"row.consents as choices, row."consentDate" as given_on, declined"#

    /// What was declined at the addresses of a row with answers, as `declined`: after the rows, in a `from`. This
    /// includes answers of any other record, of any kind, that has or had one of the addresses: two records with one
    /// mailbox may have the same reader.
    ///
    /// The hash is that of `directory.address_hash`, inlined: as a function call it would cost more than the rest of
    /// the row. `declined_at` would not be inlined either if its argument were a subquery.
    ///
    /// - Parameters:
    ///   - emails: an array; null means no address.
    ///   - isApart: whether an answer of `other`, a row of `directory.declined_at`, does not concern the row.
    static func declined(at emails: SQL, unless isApart: SQL = "false") -> SQL {
        let key: SQL = "select key from declined_address_key"
        // Of two, the later one counts: `jsonb_object_agg` keeps the last of each key.
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

    /// The answers of a new record.
    static let firstConsents: SQL = """
        case when "consentDate" is null and declined is null
            then directory.with_consents('{}', coalesce(consents, '{}'))
            else directory.with_imported_consents('{}', consents, "consentDate", declined, false) end
        """

    /// The record's answers after the columns of ``consents``.
    var newConsents: SQL {
        """
        case when said.choices is null then \(table).consents else directory.with_imported_consents(
            \(table).consents, said.choices, said.given_on, said.declined, \(filling)) end
        """
    }
}

/// A yes or a no of a row that was not applied to the record.
struct ImportLeftOut: Decodable {
    enum Reason: String, Decodable {
        /// The row does not state that it is newer.
        case undated
        /// Existing records are not changed.
        case skipped
        /// Only gaps were to be filled.
        case filled
        /// A new organization is hidden because another with its name, or at its address, is hidden.
        case namesake

        var detail: String {
            switch self {
            case .undated:
                "was left out: it was answered otherwise, and the row does not say that this is newer (consentDate, consentSource)"
            case .skipped: "was left out: it was answered otherwise, and the record is left unchanged (existing=skip)"
            case .filled:
                "was left out: it was answered otherwise, and a yes fills only what was never answered (existing=fill)"
            case .namesake:
                "is no: another organization of this name declined, and the row does not say that this one agreed"
            }
        }
    }

    var row: Int
    /// By its name in the API.
    var columns: [String]
    var reason: Reason
}

extension ImportLeftOut {
    /// Answers of written or skipped rows that differ from the records' present answers. Read after the rows were
    /// written, in the same transaction: so the result is the same in every mode, despite concurrent changes.
    ///
    /// - Parameter rows: with their records.
    static func consents(
        _ rows: JSONText, of table: SQL, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        // A person who was never asked and still has no answer: it was declined at the address.
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
    /// - Parameter isDatedYes: whether it is a yes with a date, for a purpose that was answered before.
    static func reason(said isDatedYes: SQL, _ existing: Import.Existing) -> SQL {
        switch existing {
        case .update: "\(Reason.undated.rawValue)::text"
        case .skip: "\(Reason.skipped.rawValue)::text"
        case .fill:
            "case when \(isDatedYes) then \(Reason.filled.rawValue)::text else \(Reason.undated.rawValue)::text end"
        }
    }
}

/// When two firms that share an address or a name are different: a weak key does not override contradicting data.
enum Firms {
    /// If more records than this share an address, it says nothing about them: it belongs to a network or a provider.
    static let crowd = 50

    /// The records that have the address of a row, preferring those with its name, as the columns of a `select` from
    /// `row` and `other`, grouped by row. If none has its name, the row would rename one of them.
    static let byAddress: SQL = """
        select row, coalesce(array_agg(other.id) filter (where is_namesake), array_agg(other.id)) as records,
            not bool_or(is_namesake) as is_renaming
        """

    /// Another SIRET or SIREN; or another name in another town. A firm that has moved or has been renamed is the same
    /// firm; but
    ///
    /// - one file does not rename a firm between its own lines: a record matched by an earlier row is not matched by a
    ///   row with another name;
    /// - if the record keeps its name, a row with another name and a SIRET or SIREN is a different firm: otherwise it
    ///   would be lost, or its number would go to another firm.
    ///
    /// - Parameter record: with `id`, `name_key`, `siren` (also derived from its SIRET), `siret`, `commune`,
    ///   `postal_code`, and `is_namesake`.
    static func areTwo(_ record: SQL, for matching: ImportMatching) -> SQL {
        let hasNumber: SQL =
            matching.existing == .update
            ? "false" : "not \(record).is_namesake and \(record).siren is null and row.siren is not null"
        // In earlier phases, a row that would rename a record waits: see ``ImportPhase``.
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
    ///   - record: as for ``areTwo(_:for:)``; an organization's own SIREN or that of its SIRET.
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

/// A row that names its record by identifier.
enum NamedRecord {
    /// What is wrong with the identifier; null if nothing is. A table from another system may have its own identifiers:
    /// those of the directory are version 7 (RFC 9562, 5.7).
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
