import ClubProtocol
package import Postgres

/// The present state of one kind of thing, as followers of the feed get it.
package struct ChangeSnapshot: Sendable {
    let entity: String
    let query: @Sendable (ChangedIDs) -> SQL

    /// - Parameters:
    ///   - entity: the kind, as the journal says it.
    ///   - query: gives a statement with the columns `id` and `data` (JSON) for the things that are there:
    ///     `select id, jsonb_build_object(…) as data from person where id = any(\(ids))`.
    package init(_ entity: String, query: @escaping @Sendable (ChangedIDs) -> SQL) {
        self.entity = entity
        self.query = query
    }
}

/// Identifiers of the things asked for: an array whose type follows from the column it is compared with, `uuid` or `text`.
package struct ChangedIDs: PostgresEncodable {
    let texts: [String]

    package static var postgresType: PostgresType { .unspecified }

    package func encode(into bytes: inout [UInt8]) {
        texts.encode(into: &bytes)
    }
}
