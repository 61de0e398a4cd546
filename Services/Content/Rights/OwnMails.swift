import ClubProtocol
import Postgres
import ServiceKit

/// Which mails and suppressions are somebody's: those that name the reader, and of those that name nobody, the ones at an address
/// while it was the reader's and nobody else's. The one place that decides it, for telling and for erasing.
struct OwnMails {
    let readers: [DataSubject.ID]
    /// As ``periods(of:_:on:)`` gives them.
    let periods: [AddressPeriod]

    /// When which address was the readers'. Where somebody else was mailed at an address in the time that the directory gives,
    /// the mails know better. Of an address of which the directory says nothing, it is the time since the readers were mailed there.
    ///
    /// - Parameter told: by the directory.
    static func periods(
        of readers: [DataSubject.ID], _ told: [AddressPeriod], on executor: any PostgresExecutor
    ) async throws -> [AddressPeriod] {
        try await executor.query(
            """
            with told as (
                select email, since, until, self_given from \(told.rows)
            ), found as (
                select email, min(at) as since from (
                    select lower(email) as email, updated_at as at from delivery where reader = any(\(readers))
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
                        and \(SQL.isWithinPeriod("delivery.updated_at")))
                and not exists (
                    select from letter
                    where lower(letter.email) = period.email and reader <> all(\(readers))
                        and \(SQL.isWithinPeriod("letter.created_at")))
            order by email, since nulls first
            """
        ).decode(AddressPeriod.self)
    }

    var deliveries: SQL { mails("delivery", at: "own.updated_at") }

    /// What concerns an organization's contribution is the organization's, whoever has the address.
    var letters: SQL { mails("letter", at: "own.created_at", unless: "own.purpose in ('contribution', 'receipt')") }

    /// What is told of addresses that must not be mailed.
    var suppressions: SQL { suppressions(where: "true") }

    /// What goes of that with the readers. By nothing but their own word no address is mailed again: who has complained there may be
    /// somebody else.
    var ownSuppressions: SQL { suppressions(where: "not self_given") }

    private func suppressions(where rule: SQL) -> SQL {
        """
        suppression.id in (
            select own.id from \(periods.rows) join suppression as own on own.email = held.email
            where \(SQL.isWithinPeriod("own.created_at")) and \(rule))
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
