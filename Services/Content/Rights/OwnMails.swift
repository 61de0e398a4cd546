import ClubProtocol
import Postgres
import ServiceKit

/// Which mails, suppressions and preferences are the readers': those that name them and, of those that name no one, those to an
/// address while it was theirs and no one else's. Access and erasure both take it from here.
struct OwnMails {
    let readers: [DataSubject.ID]
    /// As returned by ``periods(of:_:on:)``.
    let periods: [AddressPeriod]

    /// When each address was the readers'. If someone else was mailed at an address within the period that the
    /// directory gives, that period does not count: the mails know better. For an address that the directory does not
    /// mention, the period begins when the readers were first mailed there.
    ///
    /// - Parameter told: the periods given by the directory.
    static func periods(
        of readers: [DataSubject.ID], _ told: [AddressPeriod], on executor: any PostgresExecutor
    ) async throws -> [AddressPeriod] {
        try await executor.query(
            """
            with told as (
                select email, since, until, self_given from \(told.rows)
            ), found as (
                select email, min(at) as since from (
                    select lower(email) as email, created_at as at from delivery where reader = any(\(readers))
                    union all
                    select lower(email), created_at from letter where reader = any(\(readers))) as mail
                where email not in (select email from told) group by email
            ), period as (
                select email, since, until, self_given from told
                union all
                select email, since, null, true from found
            )
            select email, since, until, nullif(self_given, false) as "selfGiven" from period
            where not exists (
                    select from delivery
                    where lower(delivery.email) = period.email and reader <> all(\(readers))
                        and \(SQL.isWithinPeriod("delivery.created_at")))
                and not exists (
                    select from letter
                    where lower(letter.email) = period.email and reader <> all(\(readers))
                        and \(SQL.isWithinPeriod("letter.created_at")))
            order by email, since nulls first
            """
        ).decode(AddressPeriod.self)
    }

    var deliveries: SQL { mails("delivery", at: "own.created_at") }

    /// Mail about an organization's contribution belongs to the organization, whichever person has the address.
    var letters: SQL { mails("letter", at: "own.created_at", unless: "own.purpose in ('contribution', 'receipt')") }

    /// What came back about their mails, and what was written from their addresses.
    var inboundMessages: SQL {
        """
        inbound_message.id in (
            select came.id from inbound_message as came
            where came.mail in (select id from delivery where \(deliveries))
                or came.mail in (select id from letter where \(letters))
            union all
            select own.id from \(periods.rows) join inbound_message as own on lower(own.writer) = held.email
            where \(SQL.isWithinPeriod("own.received_at")))
        """
    }

    /// The suppressions shown in an access request.
    var suppressions: SQL { held("suppression", at: "own.created_at") }

    /// The suppressions deleted on erasure. An address known only from the readers' own statement is not mailed again:
    /// it may be someone else who complained there.
    var ownSuppressions: SQL { held("suppression", at: "own.created_at", if: "not self_given") }

    /// What was wanted at the addresses, and who came back there: shown in an access request.
    var preferences: SQL { held("reader_preference", at: "own.updated_at") }
    var returns: SQL { held("consent_return", at: "own.returned_at") }

    /// The same, deleted on erasure; as with suppressions.
    var ownPreferences: SQL { held("reader_preference", at: "own.updated_at", if: "not self_given") }
    var ownReturns: SQL { held("consent_return", at: "own.returned_at", if: "not self_given") }

    /// The rows of a table that are of an address while it was the readers'.
    private func held(_ table: SQL, at time: SQL, if rule: SQL = "true") -> SQL {
        """
        \(table).id in (
            select own.id from \(periods.rows) join \(table) as own on own.email = held.email
            where \(SQL.isWithinPeriod(time)) and \(rule))
        """
    }

    private func mails(_ table: SQL, at time: SQL, unless others: SQL = "false") -> SQL {
        """
        \(table).id in (
            select id from \(table) where reader = any(\(readers))
            union all
            select own.id from \(periods.rows) join \(table) as own on lower(own.email) = held.email
            where own.reader is null and not (\(others)) and \(SQL.isWithinPeriod(time)))
        """
    }
}
