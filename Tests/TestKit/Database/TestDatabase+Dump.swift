/// What a backup of a test's database would hold.
extension TestDatabase {
    /// Everything in it, as `pg_dump` writes it.
    ///
    /// - Parameter schema: only what is in this one.
    /// - Throws: what `pg_dump` has to say, when it fails.
    package func dump(schema: String? = nil) throws -> String {
        let only = schema.map { ["--schema", $0] } ?? []
        return try Command.run(try Command.postgres("pg_dump"), ["--dbname", url] + only)
    }
}
