import ClubProtocol
import Postgres

/// Proposals for open lines: for each a few contributions, found by the numbers in its text, by the amount still owed,
/// and by the payer; each by an index, however many lines and members there are. For outgoing money: whose payment the
/// bank has reversed, and whose credit was refunded.
enum BankProposals {
    /// Per line.
    static let most = 10
    /// The similarity, from 0 to 1, from which two names may be the same.
    static let likeness = 0.4

    /// A contribution that is still owed, or, for outgoing money, that was paid, next to a line.
    struct Candidate: Decodable {
        var line: BankLine.ID
        var contribution: Contribution.ID
        var organization: Organization.ID
        var name: Line
        var year: Int
        var number: Int
        /// What is still owed, or was paid. In cents.
        var owed: Int
        var isNamed: Bool
        /// Whether one of its payments had the line's amount.
        var wasPaidSo: Bool?
        /// Similarity of the names, from 0 to 1; nil for someone else's.
        var nearness: Double?

        var title: String { "\(year)-\(number)" }

        func isOf(_ cents: Int) -> Bool { owed == cents || wasPaidSo == true }
    }

    static func add(to lines: inout [BankLine], on executor: any PostgresExecutor) async throws {
        let open = lines.filter { $0.state == .open }
        let came = try await contributions(for: open.filter { $0.amount.amount > 0 }, on: executor)
        let went = open.filter { $0.amount.amount < 0 }
        let returned = try await returns(for: went, on: executor)
        let refunded = try await refunds(for: went, on: executor)
        for index in lines.indices where lines[index].state == .open {
            let (id, cents) = (lines[index].id, lines[index].amount.amount)
            let found =
                cents > 0
                ? proposals(cents, came[id] ?? [])
                : proposals(cents, returned[id] ?? []) + (refunded[id] ?? []).map { proposal(-cents, $0) }
            lines[index].proposals = Array(found.sorted { $0.score > $1.score }.prefix(most))
        }
    }

    // MARK: Incoming money

    private static func contributions(
        for lines: [BankLine], on executor: any PostgresExecutor
    ) async throws -> [BankLine.ID: [Candidate]] {
        guard !lines.isEmpty else { return [:] }
        let rows = try await executor.query(
            """
            with line as (
                select id, cents from unnest(\(lines.map(\.id)), \(lines.map(\.amount.amount))) as line (id, cents)
            ), payer as (
                \(payers(of: lines))
            ), named as (
                \(named(in: lines, "paid < amount and cancelled_on is null"))
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

    /// The contributions whose numbers are in the texts of lines, if they satisfy a condition.
    static func named(in lines: [BankLine], _ condition: SQL) -> SQL {
        let numbers = lines.flatMap { line -> [(line: BankLine.ID, year: Int, number: Int)] in
            let text = [line.remittance?.text, line.endToEnd?.text].compactMap { $0 }.joined(separator: " | ")
            return PaymentReferences.numbers(in: text).map { (line.id, $0.year, $0.number) }
        }
        return """
            select named.line, called.id as contribution, organization
            from unnest(\(numbers.map(\.line)), \(numbers.map(\.year)), \(numbers.map(\.number))) as named (line, year, number)
            cross join lateral (
                select id, organization from contribution
                where contribution.year = named.year and contribution.number = named.number and \(condition)
                limit 1
            ) as called
            """
    }

    /// The names of payers or payees: the ultimate party before the intermediary, such as a collection service.
    static func payers(of lines: [BankLine]) -> SQL {
        let names = lines.flatMap { line -> [(line: BankLine.ID, name: String, rank: Int)] in
            var parties = [line.ultimateParty?.text, line.counterparty?.text].compactMap { $0 }
            if parties.isEmpty, let text = line.remittance?.text {
                parties = [PaymentReferences.payer(in: text)].compactMap { $0 }
            }
            return parties.enumerated().map { (line.id, $1, $0) }
        }
        return """
            select line, directory.payer_key(name) as name, rank
            from unnest(\(names.map(\.line)), \(names.map(\.name)), \(names.map(\.rank))) as payer (line, name, rank)
            """
    }

    /// Organizations with a name similar to the payer's; needs `payer`.
    static let alike: SQL = """
        select payer.line, near.id as organization, max(nearness * (1 - 0.1 * rank)::float8) as nearness
        from payer cross join lateral (
            select organization.id, directory.similarity(directory.payer_key(organization.name), payer.name)::float8 as nearness
            from organization
            order by directory.payer_key(organization.name) operator(directory.<->) payer.name limit 5
        ) as near
        where nearness >= \(likeness)
        group by payer.line, near.id
        """

    /// - Parameter amount: of the line, in cents; below zero for reversed payments.
    private static func proposals(_ amount: Int, _ candidates: [Candidate]) -> [BankProposal] {
        let cents = abs(amount)
        return Dictionary(grouping: candidates, by: \.organization).values.flatMap { owed -> [BankProposal] in
            func proposal(_ owed: [Candidate]) -> BankProposal { Self.proposal(amount, owed) }
            var found = owed.filter { $0.isNamed || $0.isOf(cents) || $0.nearness != nil }.map { proposal([$0]) }
            // The oldest first, since people pay what they owe in that order; or all that are named.
            var sum = 0
            for (index, one) in owed.enumerated() {
                sum += one.owed
                if index > 0, sum == cents { found.append(proposal(Array(owed[...index]))) }
            }
            let named = owed.filter(\.isNamed)
            let isFound = found.contains { $0.contributions.map(\.contribution) == named.map(\.contribution) }
            if named.count > 1, !isFound, named.reduce(0, { $0 + $1.owed }) == cents {
                found.append(proposal(named))
            }
            return found
        }
    }

    private static func proposal(_ amount: Int, _ owed: [Candidate]) -> BankProposal {
        let cents = abs(amount)
        let first = owed[0]
        var reasons: [BankProposal.Reason] = []
        let named = owed.count { $0.isNamed }
        if named > 0 { reasons.append(.reference) }
        let isSum = owed.count == 1 ? first.isOf(cents) : owed.reduce(0) { $0 + $1.owed } == cents
        if isSum { reasons.append(.amount) }
        if first.nearness != nil { reasons.append(.name) }
        let score = named * 50 / owed.count + (isSum ? 29 : 0) + Int((first.nearness ?? 0) * 20) + 1
        return BankProposal(
            organization: first.organization, name: first.name, reasons: reasons, score: score,
            contributions: owed.map {
                // A single contribution takes the whole amount, whatever is owed.
                .init(
                    contribution: $0.contribution, number: Line(stringLiteral: $0.title),
                    amount: Money(cents: (owed.count == 1 ? cents : $0.owed) * amount.signum()))
            })
    }
}
