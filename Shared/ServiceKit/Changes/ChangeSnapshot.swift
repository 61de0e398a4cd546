import ClubProtocol
package import Postgres

/// The present state of one kind of record, as followers of the feed get it.
struct ChangeSnapshot: Sendable {
    let entity: EntityName
    let query: @Sendable (ChangedIDs) -> SQL

    /// - Parameters:
    ///   - entity: the kind, as the journal names it.
    ///   - query: returns a statement with the columns `id` and `data` (JSON) for the records that exist:
    ///     `select id, jsonb_build_object(…) as data from person where id = any(\(ids))`.
    init(_ entity: EntityName, query: @escaping @Sendable (ChangedIDs) -> SQL) {
        self.entity = entity
        self.query = query
    }
}

/// The requested identifiers: an array whose type follows from the column it is compared with, `uuid` or `text`.
package struct ChangedIDs: PostgresEncodable {
    let texts: [String]

    package static var postgresType: PostgresType { .unspecified }

    package func encode(into bytes: inout [UInt8]) {
        texts.encode(into: &bytes)
    }
}
