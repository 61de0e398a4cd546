import Postgres

/// Expressions that several features' statements contain.
extension SQL {
    /// Cents in a column, as money in the protocol.
    static func money(_ cents: SQL) -> SQL { "json_build_object('amount', \(cents), 'currency', 'EUR')" }

    /// A person's name in spoken order, from the columns of a row.
    static func personName(of row: SQL) -> SQL { "directory.person_name(\(row).given_name, \(row).family_name)" }
}
