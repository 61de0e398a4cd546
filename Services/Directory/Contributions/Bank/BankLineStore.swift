import ClubProtocol
import Postgres
import ServiceKit

/// The lines of bank statements, and what they were booked on.
enum BankLineStore {
    private static let columns: SQL = """
        id, statement, account, reference, booked_on as "bookedOn", value_on as "valueOn",
        \(SQL.money("amount")) as amount, counterparty, ultimate_party as "ultimateParty",
        counterparty_iban as "counterpartyIBAN", remittance,
        end_to_end as "endToEnd", state, reason, (
            select coalesce(json_agg(booking order by number), '[]') from (
                select payment.id::text as number, json_build_object(
                    'organization', organization, 'amount', \(SQL.money("payment.amount")),
                    'payment', payment.id, 'contribution', contribution.id) as booking
                from payment join contribution on contribution.id = payment.contribution
                where payment.bank_line = bank_line.id
                union all
                select credit_entry.id::text, json_build_object(
                    'organization', organization, 'amount', \(SQL.money("credit_entry.amount")),
                    'creditEntry', credit_entry.id)
                from credit_entry where credit_entry.bank_line = bank_line.id
            ) as booked) as bookings,
        (
            select coalesce(json_agg(id order by id), '[]') from (
                select other.id from bank_line as other
                where (other.id = coalesce(bank_line.alike, bank_line.id)
                        or other.alike = coalesce(bank_line.alike, bank_line.id))
                    and other.statement <> bank_line.statement
                order by other.id limit 10
            ) as other) as alike,
        forgotten_at as "forgottenAt", version, created_at as "createdAt", updated_at as "updatedAt"
        """

    static func get(_ id: BankLine.ID, on executor: any PostgresExecutor) async throws -> BankLine {
        let row = try await executor.first("select \(columns) from bank_line where id = \(id)")
        guard let row else { throw Problem(.notFound) }
        return try row.decode(BankLine.self)
    }

    static func list(
        _ query: ListBankLines.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> [BankLine] {
        var rules: [SQL] = []
        if let state = query.state { rules.append("state = \(state.rawValue)") }
        if let statement = query.statement { rules.append("statement = \(statement)") }
        if let after = try page.position(of: BankLine.self) {
            rules.append("(booked_on, id) < (\(after.key)::text::date, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from bank_line
            where \(rules.all) order by booked_on desc, id desc limit \(page.limit + 1)
            """
        ).decode(BankLine.self)
    }

    /// Marks a line as booked, so that no other booking can take it.
    ///
    /// - Parameter isAnother: whether it is a different payment from the one that similar lines were booked as.
    /// - Throws: `PostgresError` of constraint `bank_line_open_check` if it is not open, of `bank_line_alike_check` if
    ///   a similar line is booked.
    static func book(_ id: BankLine.ID, isAnother: Bool, in transaction: PostgresTransaction) async throws {
        guard try await transaction.first("select from bank_line where id = \(id)") != nil else {
            throw Problem(.notFound)
        }
        try await transaction.execute("insert into bank_booking (line, another) values (\(id), \(isAnother))")
    }

    /// - Throws: 404; 409 if its state does not allow this transition.
    static func transition(
        _ id: BankLine.ID, to state: BankLine.State, because reason: Line?, in transaction: PostgresTransaction
    ) async throws {
        let row = try await transaction.first("select state from bank_line where id = \(id) for update")
        guard let row else { throw Problem(.notFound) }
        guard let now = BankLine.State(rawValue: try row["state"]), now.allows(state) else {
            throw Problem(.transitionNotAllowed)
        }
        try await transaction.execute(
            """
            update bank_line set state = \(state.rawValue), reason = \(reason), version = version + 1, updated_at = now()
            where id = \(id)
            """)
    }
}
