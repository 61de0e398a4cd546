import ClubProtocol
import Postgres

/// For outgoing money: payments that the bank has reversed, and credit that was refunded.
extension BankProposals {
    /// How many of the latest payments with an amount are considered: those already reversed are skipped.
    private static let latest = 50

    /// An organization with a credit balance, next to a line.
    struct Creditor: Decodable {
        var line: BankLine.ID
        var organization: Organization.ID
        var name: Line
        /// In cents.
        var balance: Int
        var nearness: Double?
    }

    /// Contributions that were paid: by the numbers in a line's text, by earlier payments of its amount, the latest
    /// first, and by payer.
    static func returns(
        for lines: [BankLine], on executor: any PostgresExecutor
    ) async throws -> [BankLine.ID: [Candidate]] {
        guard !lines.isEmpty else { return [:] }
        let rows = try await executor.query(
            """
            with line as (
                select id, cents, booked_on
                from unnest(
                    \(lines.map(\.id)), \(lines.map { -$0.amount.amount }), \(lines.map(\.bookedOn.text))::date[]
                ) as line (id, cents, booked_on)
            ), payer as (
                \(payers(of: lines))
            ), named as (
                \(named(in: lines, "paid > 0 and cancelled_on is null"))
            ), alike as (
                \(alike)
            ), candidate as (
                select line, contribution from named
                union
                select line.id, back.id from line cross join lateral (
                    select contribution.id from (
                        select payment.contribution from payment
                        where payment.amount = line.cents and paid_on <= line.booked_on
                        order by paid_on desc, payment.id desc limit \(latest)
                    ) as came
                    cross join lateral (
                        select id from contribution
                        where contribution.id = came.contribution and paid > 0 and cancelled_on is null limit 1
                    ) as contribution
                    limit \(most)
                ) as back
                union
                select payer.line, back.id from (
                    select line, organization from named union select line, organization from alike
                ) as payer cross join lateral (
                    select id from contribution
                    where contribution.organization = payer.organization and paid > 0 and cancelled_on is null
                    order by year desc, id desc limit \(most)
                ) as back
            )
            select candidate.line, candidate.contribution, organization, name, year, number, owed,
                exists (
                    select from named
                    where named.line = candidate.line and named.contribution = candidate.contribution) as "isNamed",
                exists (
                    select from payment
                    where payment.contribution = candidate.contribution and payment.amount = line.cents) as "wasPaidSo",
                (select nearness from alike
                    where alike.line = candidate.line and alike.organization = back.organization) as nearness
            from candidate join line on line.id = candidate.line
            cross join lateral (
                select organization, year, number, due_on, paid as owed from contribution
                where contribution.id = candidate.contribution limit 1
            ) as back
            cross join lateral (select name from organization where organization.id = back.organization limit 1) as payer
            order by candidate.line, organization, due_on desc, candidate.contribution desc
            """)
        return Dictionary(grouping: try rows.decode(Candidate.self), by: \.line)
    }

    static func refunds(
        for lines: [BankLine], on executor: any PostgresExecutor
    ) async throws -> [BankLine.ID: [Creditor]] {
        guard !lines.isEmpty else { return [:] }
        let rows = try await executor.query(
            """
            with line as (
                select id, cents from unnest(\(lines.map(\.id)), \(lines.map { -$0.amount.amount })) as line (id, cents)
            ), payer as (
                \(payers(of: lines))
            ), alike as (
                \(alike)
            ), candidate as (
                select alike.line, alike.organization
                from alike join line on line.id = alike.line
                cross join lateral (
                    select from credit
                    where credit.organization = alike.organization and balance >= line.cents limit 1
                ) as held
                union
                select line.id, held.organization from line cross join lateral (
                    select organization from credit where balance > 0 and balance = line.cents
                    order by organization limit \(most)
                ) as held
            )
            select candidate.line, candidate.organization, name, balance, (
                    select nearness from alike
                    where alike.line = candidate.line and alike.organization = candidate.organization) as nearness
            from candidate
            cross join lateral (select name from organization where id = candidate.organization limit 1) as payee
            cross join lateral (
                select balance from credit where credit.organization = candidate.organization limit 1) as held
            order by candidate.line, candidate.organization
            """)
        return Dictionary(grouping: try rows.decode(Creditor.self), by: \.line)
    }

    static func proposal(_ cents: Int, _ creditor: Creditor) -> BankProposal {
        var reasons: [BankProposal.Reason] = []
        if creditor.balance == cents { reasons.append(.amount) }
        if creditor.nearness != nil { reasons.append(.name) }
        return BankProposal(
            organization: creditor.organization, name: creditor.name, reasons: reasons,
            score: (creditor.balance == cents ? 49 : 0) + Int((creditor.nearness ?? 0) * 50) + 1,
            refund: Money(cents: cents))
    }
}
