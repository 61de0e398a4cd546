/// A dump of a test's database.
extension TestDatabase {
    /// The whole database, as written by `pg_dump`.
    ///
    /// - Parameter schema: limits the dump to one schema.
    /// - Throws: the output of `pg_dump`, when it fails.
    package func dump(schema: String? = nil) throws -> String {
        let only = schema.map { ["--schema", $0] } ?? []
        return try Command.run(try Command.postgres("pg_dump"), ["--dbname", url] + only)
    }
}
