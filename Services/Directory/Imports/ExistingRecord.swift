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

    func text(_ column: SQL, _ cell: SQL) -> SQL {
        filling
            ? "coalesce(\(table).\(column), \(cell)) as \(column)"
            : "coalesce(\(cell), \(table).\(column)) as \(column)"
    }

    /// An empty list is a gap.
    func list(_ column: SQL, _ cell: SQL) -> SQL {
        filling
            ? "coalesce(nullif(\(table).\(column), '{}'), \(cell), '{}') as \(column)" : text(column, cell)
    }

    /// Columns that say one thing together: those that are empty are filled, unless one that is not says something else.
    func together(_ columns: [(column: SQL, cell: SQL)]) -> SQL {
        guard filling else { return columns.map { text($0.column, $0.cell) }.joined(separator: ", ") }
        let agree = columns.map { column, cell -> SQL in
            "coalesce(directory.name_key(\(table).\(column)) = directory.name_key(\(cell)), true)"
        }.joined(separator: " and ")
        return columns.map { column, cell -> SQL in
            "coalesce(\(table).\(column), case when \(agree) then \(cell) end) as \(column)"
        }.joined(separator: ", ")
    }

    /// What was answered is no gap, be it a no.
    var consents: SQL {
        let choices: SQL = "coalesce(row.consents, '{}')"
        let new: SQL =
            filling
            ? "(select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(\(choices)) where not \(table).consents ? key)"
            : choices
        return "directory.with_consents(\(table).consents, \(new)) as consents"
    }
}
