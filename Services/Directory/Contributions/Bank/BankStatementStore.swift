import ClubProtocol
import Postgres
import ServiceKit

/// The bank statements that were imported, each file once.
enum BankStatementStore {
    private static let columns: SQL = """
        id, format, name, accounts, sha256, lines, added, known, rejected, faults, ignored, created_at as "createdAt"
        """

    /// One file at a time, until the transaction ends: two files with the same lines count each line once.
    static func lock(in transaction: PostgresTransaction) async throws {
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended('directory.bank-statements', 0))")
    }

    /// The statement of a file that was imported before, for the same accounts.
    static func find(_ sha256: String, _ accounts: [String], in transaction: PostgresTransaction) async throws -> Rows {
        let rows = try await transaction.query("select id, accounts from bank_statement where sha256 = \(sha256)")
        let same = try rows.first { row in
            let said: [String] = try row["accounts"]
            return said.count == accounts.count && zip(said, accounts).allSatisfy(BankAccount.isOne)
        }
        let id: BankStatement.ID? = try same?["id"]
        return try await transaction.query("select \(columns) from bank_statement where id = \(id)")
    }

    /// Stores a file and those of its lines that are not stored already, under whatever name of their account.
    static func insert(
        _ id: BankStatement.ID, _ file: BankFile, said accounts: BankAlikeStore.Accounts, sha256: String, name: Line?,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.execute(
            """
            insert into bank_statement (
                id, sha256, format, name, accounts, lines, added, known, rejected, faults, ignored)
            values (
                \(id), \(sha256), \(file.format.rawValue), \(name), \(file.accounts), \(file.rejected), 0, 0,
                \(file.rejected), \(try JSONText(encoding: file.faults)), \(file.ignored))
            """)
        var added = 0
        var rest = file.entries[...]
        while !rest.isEmpty {
            added += try await insert(rest.prefix(1000), of: id, said: accounts, in: transaction)
            rest = rest.dropFirst(1000)
        }
        return try await transaction.query(
            """
            update bank_statement set lines = lines + \(file.entries.count), added = \(added),
                known = \(file.entries.count - added)
            where id = \(id) returning \(columns)
            """)
    }

    private static func insert(
        _ lines: ArraySlice<(entry: BankEntry, key: String)>, of statement: BankStatement.ID,
        said accounts: BankAlikeStore.Accounts, in transaction: PostgresTransaction
    ) async throws -> Int {
        let entries = lines.map(\.entry)
        return try await transaction.execute(
            """
            insert into bank_line (
                id, statement, account, key, reference, booked_on, value_on, amount, counterparty, ultimate_party,
                counterparty_iban, remittance, end_to_end, batch, batch_amount)
            select id, \(statement), account, key, coalesce(reference, left(key, 16)), booked_on, value_on, amount,
                counterparty, ultimate_party, iban, remittance, end_to_end, batch, batch_amount
            from unnest(
                \(lines.map { _ in BankLine.ID() }), \(entries.map(\.account)), \(lines.map(\.key)),
                \(entries.map(\.reference)), \(entries.map(\.bookedOn.text))::date[],
                \(entries.map { $0.valueOn?.text })::date[], \(entries.map(\.cents)),
                \(entries.map { $0.counterparty?.text }), \(entries.map { $0.ultimateParty?.text }),
                \(entries.map { $0.counterpartyIBAN?.text }), \(entries.map(\.remittance)),
                \(entries.map { $0.endToEnd?.text }), \(entries.map { $0.batch?.number }),
                \(entries.map { $0.batch?.cents })
            ) as line (
                id, account, key, reference, booked_on, value_on, amount, counterparty, ultimate_party, iban,
                remittance, end_to_end, batch, batch_amount)
            where not exists (
                select from \(accounts.said) cross join lateral (
                    select from bank_line as known
                    where known.account = said.spelling and known.key = line.key limit 1) as known
                where said.account = line.account)
            on conflict (account, key) do nothing
            """)
    }

    static func get(_ id: BankStatement.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from bank_statement where id = \(id)")
    }

    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        var rules: [SQL] = []
        if let after = try page.position(of: BankStatement.self) {
            rules.append("(created_at, id) < (\(after.key)::text::timestamptz, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns), created_at::text as "_key" from bank_statement
            where \(rules.all) order by created_at desc, id desc limit \(page.limit + 1)
            """)
    }
}
