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
