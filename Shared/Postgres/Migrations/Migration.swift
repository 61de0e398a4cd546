/// One step of a schema. Once released it is never edited; errors are fixed by a later migration.
package struct Migration: Sendable, Hashable {
    /// `0001-organizations`
    package let id: String
    /// The script, UTF-8.
    package let sql: [UInt8]
    /// The tables on which the runtime role has fewer privileges than reading and writing.
    package let rights: [TableRights]

    package init(_ id: String, sql: [UInt8], rights: [TableRights] = []) {
        self.id = id
        self.sql = sql
        self.rights = rights
    }
}

/// All privileges of the runtime role on one table.
package struct TableRights: Sendable, Hashable {
    package let table: String
    /// In the syntax of `grant`: `select, insert (name)`.
    package let privileges: String

    package init(_ table: String, _ privileges: String) {
        self.table = table
        self.privileges = privileges
    }
}

package enum MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A migration has been edited since it was applied.
    case edited(String)
    /// None of the applied migrations is known: the schema is older than the first release.
    case olderThanFirstRelease(schema: String)
    /// Some applied migrations are known, but this one is not: a newer program has run.
    case unknown(String)
    /// Two migrations have the same name.
    case duplicate(String)

    package var description: String {
        switch self {
        case .edited(let id): "migration \(id) was edited after it had been applied"
        case .olderThanFirstRelease(let schema):
            "the schema \(schema) is older than the first release and cannot be migrated: export its tables with the "
                + "version that created it, create a new database, migrate that, and import the tables"
        case .unknown(let id): "migration \(id) was applied by a newer version"
        case .duplicate(let id): "migration \(id) is listed twice"
        }
    }
}
