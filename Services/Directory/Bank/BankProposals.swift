import ClubProtocol
import Postgres

/// What open lines may be: for each a few contributions, found by the numbers in its text, by what is still owed, and by who paid;
/// each by an index, however many lines and members there are. Of money that went out, whose credit was paid back.
enum BankProposals {
    /// Of one line.
    private static let most = 10
    /// How much alike two names are, from 0 to 1, that may be one.
    static let likeness = 0.4

    /// A contribution that is still owed, beside a line.
    private struct Candidate: Decodable {
        var line: BankLine.ID
        var contribution: Contribution.ID
        var organization: Organization.ID
        var name: Line
        var year: Int
        var number: Int
        /// In cents.
        var owed: Int
        var isNamed: Bool
        /// Of the names, from 0 to 1; nil for another's.
        var nearness: Double?

        var title: String { "\(year)-\(number)" }
    }

    /// An organization that has something to its credit, beside a line.
    private struct Creditor: Decodable {
        var line: BankLine.ID
        var organization: Organization.ID
        var name: Line
        /// In cents.
        var balance: Int
        var nearness: Double?
    }

    static func add(to lines: inout [BankLine], on executor: any PostgresExecutor) async throws {
        let open = lines.filter { $0.state == .open }
        let came = try await contributions(for: open.filter { $0.amount.amount > 0 }, on: executor)
        let went = try await refunds(for: open.filter { $0.amount.amount < 0 }, on: executor)
        for index in lines.indices where lines[index].state == .open {
            let (id, cents) = (lines[index].id, lines[index].amount.amount)
            let found =
                cents > 0 ? proposals(cents, came[id] ?? []) : (went[id] ?? []).map { proposal(-cents, $0) }
            lines[index].proposals = Array(found.sorted { $0.score > $1.score }.prefix(most))
        }
    }

    // MARK: Money that came

    private static func contributions(
        for lines: [BankLine], on executor: any PostgresExecutor
    ) async throws -> [BankLine.ID: [Candidate]] {
        guard !lines.isEmpty else { return [:] }
        let named = lines.flatMap { line in
            PaymentReferences.numbers(
                in: [line.remittance?.text, line.endToEnd?.text].compactMap { $0 }.joined(separator: " | ")
            )
            .map { (line.id, $0) }
        }
        let rows = try await executor.query(
            """
            with line as (
                select id, cents, directory.payer_key(payer) as payer
                from unnest(
                    \(lines.map(\.id)), \(lines.map(\.amount.amount)), \(lines.map(payer))
                ) as line (id, cents, payer)
            ), named as (
                select named.line, called.id as contribution, organization
                from unnest(\(named.map(\.0)), \(named.map(\.1.year)), \(named.map(\.1.number))) as named (line, year, number)
                cross join lateral (
                    select id, organization from contribution
                    where contribution.year = named.year and contribution.number = named.number
                        and paid < amount and cancelled_on is null
                    limit 1
                ) as called
            ), alike as (
                \(alike)
            ), candidate as (
                select line, contribution from named
                union
                select line.id, rest.id from line cross join lateral (
                    select id from contribution
                    where amount - paid = line.cents and paid < amount and cancelled_on is null
                    order by due_on, id limit \(most)
                ) as rest
                union
                select payer.line, rest.id from (
                    select line, organization from named union select line, organization from alike
                ) as payer cross join lateral (
                    select id from contribution
                    where contribution.organization = payer.organization and paid < amount and cancelled_on is null
                    order by due_on, id limit \(most)
                ) as rest
            )
            select candidate.line, candidate.contribution, organization, name, year, number, owed,
                exists (
                    select from named
                    where named.line = candidate.line and named.contribution = candidate.contribution) as "isNamed",
                (select nearness from alike
                    where alike.line = candidate.line and alike.organization = rest.organization) as nearness
            from candidate cross join lateral (
                select organization, year, number, due_on, amount - paid as owed from contribution
                where contribution.id = candidate.contribution limit 1
            ) as rest
            cross join lateral (select name from organization where organization.id = rest.organization limit 1) as payer
            order by candidate.line, organization, due_on, candidate.contribution
            """)
        return Dictionary(grouping: try rows.decode(Candidate.self), by: \.line)
    }

    /// The organizations that are called like who paid; needs `line`.
    private static let alike: SQL = """
        select line.id as line, near.id as organization, nearness
        from line cross join lateral (
            select organization.id, directory.similarity(directory.payer_key(name), line.payer)::float8 as nearness
            from organization
            order by directory.payer_key(name) operator(directory.<->) line.payer limit 5
        ) as near
        where nearness >= \(likeness)
        """

    private static func payer(of line: BankLine) -> String? {
        line.counterparty?.text ?? line.remittance.flatMap { PaymentReferences.payer(in: $0.text) }
    }

    private static func proposals(_ cents: Int, _ candidates: [Candidate]) -> [BankProposal] {
        Dictionary(grouping: candidates, by: \.organization).values.flatMap { owed -> [BankProposal] in
            var found = owed.filter { $0.isNamed || $0.owed == cents || $0.nearness != nil }
                .map { proposal(cents, [$0]) }
            // The oldest first, as people pay what they owe; or all that are named.
            var sum = 0
            for (index, one) in owed.enumerated() {
                sum += one.owed
                if index > 0, sum == cents { found.append(proposal(cents, Array(owed[...index]))) }
            }
            let named = owed.filter(\.isNamed)
            let isFound = found.contains { $0.contributions.map(\.contribution) == named.map(\.contribution) }
            if named.count > 1, !isFound, named.reduce(0, { $0 + $1.owed }) == cents {
                found.append(proposal(cents, named))
            }
            return found
        }
    }

    private static func proposal(_ cents: Int, _ owed: [Candidate]) -> BankProposal {
        let first = owed[0]
        var reasons: [BankProposal.Reason] = []
        let named = owed.count { $0.isNamed }
        if named > 0 { reasons.append(.reference) }
        let isSum = owed.reduce(0) { $0 + $1.owed } == cents
        if isSum { reasons.append(.amount) }
        if first.nearness != nil { reasons.append(.name) }
        let score = named * 50 / owed.count + (isSum ? 29 : 0) + Int((first.nearness ?? 0) * 20) + 1
        return BankProposal(
            organization: first.organization, name: first.name, reasons: reasons, score: score,
            contributions: owed.map {
                // One alone takes all that came, whatever is owed.
                .init(
                    contribution: $0.contribution, number: Line(stringLiteral: $0.title),
                    amount: Money(cents: owed.count == 1 ? cents : $0.owed))
            })
    }

    // MARK: Money that went

    private static func refunds(
        for lines: [BankLine], on executor: any PostgresExecutor
    ) async throws -> [BankLine.ID: [Creditor]] {
        guard !lines.isEmpty else { return [:] }
        let rows = try await executor.query(
            """
            with line as (
                select id, cents, directory.payer_key(payer) as payer
                from unnest(
                    \(lines.map(\.id)), \(lines.map { -$0.amount.amount }), \(lines.map(payer))
                ) as line (id, cents, payer)
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

    private static func proposal(_ cents: Int, _ creditor: Creditor) -> BankProposal {
        var reasons: [BankProposal.Reason] = []
        if creditor.balance == cents { reasons.append(.amount) }
        if creditor.nearness != nil { reasons.append(.name) }
        return BankProposal(
            organization: creditor.organization, name: creditor.name, reasons: reasons,
            score: (creditor.balance == cents ? 49 : 0) + Int((creditor.nearness ?? 0) * 50) + 1,
            refund: Money(cents: cents))
    }
}
