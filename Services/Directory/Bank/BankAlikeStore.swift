import ClubProtocol
import Postgres
import ServiceKit

/// What files have told before, in other words: accounts by another number, and payments as another line.
enum BankAlikeStore {
    /// The accounts of a file as files before have said them, too.
    struct Accounts {
        /// Each as a line of this file has it: by its IBAN, where that is known.
        var names: [ByteKey: String] = [:]
        /// A name beside all that it has been called, itself included.
        fileprivate var spellings: [(account: String, spelling: String)] = []

        /// `said (account, spelling)`
        var said: SQL {
            "unnest(\(spellings.map(\.account)), \(spellings.map(\.spelling))) as said (account, spelling)"
        }
    }

    /// - Parameter accounts: those of a file, ``BankFile/limits`` at the most.
    static func accounts(_ accounts: [String], in transaction: PostgresTransaction) async throws -> Accounts {
        let rows = try await transaction.query(
            "select distinct account from bank_statement cross join unnest(accounts) as account order by account")
        let known: [String] = try rows.map { try $0["account"] }
        var found = Accounts()
        for account in accounts {
            let same = known.filter { BankAccount.isOne($0, account) }
            let whole = BankAccount.isIBAN(account) ? [account] : same.filter(BankAccount.isIBAN)
            // A number that two IBANs hold is neither's.
            let name = whole.count == 1 ? whole[0] : whole.isEmpty ? same.first ?? account : account
            let others = known.filter { BankAccount.isIBAN($0) && !$0.hasSameBytes(as: name) }
            let spellings =
                whole.count > 1
                ? [name]
                : [name]
                    + known.filter { one in
                        !one.hasSameBytes(as: name) && (BankAccount.isOne(one, name) || BankAccount.isOne(one, account))
                            && !others.contains { BankAccount.isOne($0, one) }
                    }
            found.names[ByteKey(account)] = name
            found.spellings += spellings.map { (name, $0) }
        }
        return found
    }

    /// The beginning of a line's texts, which is compared: once for each line, as it is dear.
    private static let text: SQL = "directory.folded(left(concat_ws(' ', counterparty, remittance), 100))"

    /// Puts those of a statement's lines that were not known beside what may be the same: of one account, day and amount, of a file
    /// before, and not told by this one itself. Of several, what has the texts that are most alike; of these five are looked at.
    static func mark(
        _ id: BankStatement.ID, _ file: BankFile, said accounts: Accounts, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            """
            with fresh as (
                select id, account, booked_on, amount, \(text) as text from bank_line where statement = \(id)
            ), earlier as materialized (
                select day.account, day.booked_on, day.amount, old.id, old.text
                from (select distinct account, booked_on, amount from fresh) as day
                cross join lateral (
                    select coalesce(old.alike, old.id) as id, \(text) as text
                    from \(accounts.said) join bank_line as old on old.account = said.spelling
                    where said.account = day.account and old.amount = day.amount and old.booked_on = day.booked_on
                        and old.statement <> \(id)
                        and old.key not in (select unnest(\(file.entries.map(\.key))))
                    order by old.id limit 5
                ) as old
            )
            update bank_line set alike = found.alike from (
                select distinct on (fresh.id) fresh.id, earlier.id as alike
                from fresh join earlier using (account, booked_on, amount)
                order by fresh.id, directory.similarity(fresh.text, earlier.text) desc, earlier.id
            ) as found
            where bank_line.id = found.id
            """)
    }
}
