package import ClubProtocol
import HTTPTypes
package import Postgres

/// The copies of personal data that the kit itself keeps in every service, besides the service's own tables: stored
/// responses and the payloads of jobs.
package enum PersonalDataCopies {
    /// The statements that remove the copies of a person's data.
    ///
    /// A stored response is replaced by a 410: without its row, a repeated request would run again and bring the person
    /// back. Jobs about the person have nothing left to work on. If another table of the kit stores personal data, add
    /// it here. Addresses are searched for only in rows that were written while they were the subject's: before and
    /// after, they belonged to another person.
    ///
    /// - Parameters:
    ///   - words: patterns that identify a copy.
    ///   - addresses: when which address was the subject's.
    ///   - names: patterns of names. Not searched for in jobs: one may be about another person and contain the same
    ///     words. A stored response is needed for a day only.
    ///   - repeatable: the operations whose stored responses stay.
    /// - Throws: errors of encoding the response.
    private static func statements(
        _ words: [String], addresses: [AddressPeriod], names: [String], repeatable: [any Endpoint.Type]
    ) throws -> [SQL] {
        let answer = try WireJSON.encode(ProblemDocument(Problem(.erased), requestID: nil))
        func mentions(_ text: SQL) -> SQL {
            """
            exists (
                select from unnest(
                    \(addresses.map { pattern($0.email.text) })::text[], \(addresses.map { $0.since?.text })::timestamptz[],
                    \(addresses.map { $0.until?.text })::timestamptz[]) as held (pattern, since, until)
                where \(SQL.isWithinPeriod("created_at")) and \(text) ~ pattern)
            """
        }
        let kept = repeatable.map { Route.name(of: $0) }
        let body: SQL = "lower(encode(body, 'escape'))"
        let payload: SQL = "lower(encode(convert_to(payload::text, 'UTF8'), 'escape'))"
        return [
            """
            update idempotency set status = \(ProblemType.erased.status.code)::integer,
                headers = '{"contentType": "application/problem+json"}', body = \(answer)
            where operation <> all(\(kept)) and (\(body) ~ any(\(words + names)::text[]) or \(mentions(body)))
            """,
            """
            delete from job
            where kind <> \(ErasureWork.kind.name) and (\(payload) ~ any(\(words)::text[]) or \(mentions(payload)))
            """,
        ]
    }

    /// Matches a whole word: `ana@club.fr` does not match in `diana@club.fr`. The searched text is in the form of
    /// `encode(…, 'escape')`: bytes beyond ASCII as a backslash and three digits, a backslash as two.
    private static func pattern(_ word: String) -> String {
        var pattern = #"(^|[^a-z0-9._%+-]|\\[0-7]{3})"#
        for byte in word.utf8 {
            let lower = byte | 0x20
            switch byte {
            case 0x80...: pattern += #"\\"# + String(byte, radix: 8)
            case UInt8(ascii: "\\"): pattern += #"\\\\"#
            case _ where (0x61...0x7A).contains(lower): pattern.unicodeScalars.append(Unicode.Scalar(lower))
            case 0x30...0x39: pattern.unicodeScalars.append(Unicode.Scalar(byte))
            default: pattern += "\\\(Unicode.Scalar(byte))"
            }
        }
        return pattern + #"($|[^a-z0-9.-]|[.-]($|[^a-z0-9]))"#
    }

    /// Removes the kit's copies of a person's data, in the transaction that erases the person from the service's own
    /// tables.
    ///
    /// - Parameters:
    ///   - subjects: the person, and the records that were merged into it.
    ///   - addresses: when which address was the person's.
    ///   - telephones: the numbers that no other person has.
    ///   - names: the names that no other person has.
    ///   - repeatable: operations whose stored responses contain no personal data except an identifier, and must remain
    ///     repeatable.
    package static func erase(
        _ subjects: [DataSubject.ID], addresses: [AddressPeriod], telephones: [String] = [], names: [String] = [],
        repeatable: [any Endpoint.Type] = [], in transaction: PostgresTransaction
    ) async throws {
        let words = subjects.map(\.text) + telephones.map(pattern)
        let statements = try statements(
            words, addresses: addresses, names: names.map(pattern), repeatable: repeatable)
        for statement in statements { try await transaction.execute(statement) }
    }
}
