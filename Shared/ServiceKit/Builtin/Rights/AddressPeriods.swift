import ClubProtocol
package import Postgres

extension [AddressPeriod] {
    /// The periods as a table `held (email, since, until, self_given)`: addresses in lower case, missing bounds as
    /// null.
    package var rows: SQL {
        """
        unnest(\(map { $0.email.text.asciiLowercased })::text[], \(map { $0.since?.text })::timestamptz[],
            \(map { $0.until?.text })::timestamptz[], \(map { $0.selfGiven ?? false })::boolean[])
            as held (email, since, until, self_given)
        """
    }
}

extension SQL {
    /// Whether a time is within the period of a row with the columns `since` and `until`.
    package static func isWithinPeriod(_ time: SQL) -> SQL {
        "(since is null or since <= \(time)) and (until is null or \(time) < until)"
    }
}
