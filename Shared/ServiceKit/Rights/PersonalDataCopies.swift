package import ClubProtocol
import HTTPTypes
package import Postgres

/// What the kit itself keeps of people in every service, beside the service's own tables: answers that are stored for
/// repetitions, and what jobs are to work on.
package enum PersonalDataCopies {
    /// Operations whose stored answers name an identifier and nothing else of somebody, and must still be repeatable.
    private static let exempt = ["createErasure", "moveErasure", "reportErasure"]

    /// The statements that take the traces of somebody away.
    ///
    /// A stored answer stays as one that says 410: were the row gone, a repetition of the request would be done anew, and
    /// bring the person back. Jobs about the person have nothing to work on any more. What another table of the kit keeps
    /// of people is to be added here. By an address only what was written while it was the subject's: before and after, it was
    /// somebody else's.
    ///
    /// - Parameters:
    ///   - words: patterns by which a trace is known.
    ///   - addresses: when which address was the subject's.
    ///   - names: patterns of names. A job may be about somebody else and say the same words; a stored answer is of use for a day.
    /// - Throws: what encoding the answer throws.
    private static func statements(
        _ words: [String], addresses: [AddressPeriod], names: [String]
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
        let body: SQL = "lower(encode(body, 'escape'))"
        let payload: SQL = "lower(encode(convert_to(payload::text, 'UTF8'), 'escape'))"
        return [
            """
            update idempotency set status = \(ProblemType.erased.status.code)::integer,
                headers = '{"contentType": "application/problem+json"}', body = \(answer)
            where operation <> all(\(exempt)) and (\(body) ~ any(\(words + names)::text[]) or \(mentions(body)))
            """,
            """
            delete from job
            where kind <> \(ErasureWork.kind.name) and (\(payload) ~ any(\(words)::text[]) or \(mentions(payload)))
            """,
        ]
    }

    /// Finds a word where it stands by itself: `ana@club.fr` is not in `diana@club.fr`. What is searched is written as
    /// `encode(…, 'escape')` writes bytes: those beyond ASCII as a backslash and three digits, a backslash as two.
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

    /// Takes away what the kit keeps of somebody, in the transaction that erases it from the service's own tables.
    ///
    /// - Parameters:
    ///   - subjects: the person, and the records that were merged into it.
    ///   - addresses: when which address was its own.
    ///   - telephones: the numbers that nobody else has.
    ///   - names: what it is called, and nobody else.
    package static func erase(
        _ subjects: [DataSubject.ID], addresses: [AddressPeriod], telephones: [String] = [], names: [String] = [],
        in transaction: PostgresTransaction
    ) async throws {
        let words = subjects.map(\.text) + telephones.map(pattern)
        for statement in try statements(words, addresses: addresses, names: names.map(pattern)) {
            try await transaction.execute(statement)
        }
    }
}
