/// One step of a schema. Once it has landed it is never edited; what was wrong is put right by the next one.
package struct Migration: Sendable, Hashable {
    /// `0001-organizations`
    package let id: String
    /// The script, UTF-8.
    package let sql: [UInt8]
    /// Where the running role may do less with a table than read and write it.
    package let rights: [TableRights]

    package init(_ id: String, sql: [UInt8], rights: [TableRights] = []) {
        self.id = id
        self.sql = sql
        self.rights = rights
    }
}

/// All that the running role may do with one table.
package struct TableRights: Sendable, Hashable {
    package let table: String
    /// As `grant` takes it: `select, insert (name)`.
    package let privileges: String

    package init(_ table: String, _ privileges: String) {
        self.table = table
        self.privileges = privileges
    }
}

package enum MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A migration that was applied is not what it was then.
    case edited(String)
    /// Migrations were applied, and none of them is known: the schema is older than the first release.
    case olderThanFirstRelease(schema: String)
    /// Of the migrations that were applied, one is not known and another one is: a newer program has run.
    case unknown(String)
    /// Two migrations have the same name.
    case duplicate(String)

    package var description: String {
        switch self {
        case .edited(let id): "migration \(id) was edited after it had been applied"
        case .olderThanFirstRelease(let schema):
            "the schema \(schema) is older than the first release and cannot be migrated: export its tables with the "
                + "version that made it, make a new database, migrate that, and import the tables"
        case .unknown(let id): "migration \(id) was applied by a newer version"
        case .duplicate(let id): "migration \(id) stands in the list twice"
        }
    }
}
