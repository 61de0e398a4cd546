import ClubProtocol
import Postgres
import ServiceKit

/// What earlier files contained in another form: accounts under another number, and payments as another line.
enum BankAlikeStore {
    /// The accounts of a file, with the names that earlier files gave them.
    struct Accounts {
        /// The name of each account of this file: its IBAN, where that is known.
        var names: [ByteKey: String] = [:]
        /// A name with every spelling used for it, itself included.
        fileprivate var spellings: [(account: String, spelling: String)] = []

        /// `said (account, spelling)`
        var said: SQL {
            "unnest(\(spellings.map(\.account)), \(spellings.map(\.spelling))) as said (account, spelling)"
        }
    }

    /// - Parameter accounts: the accounts of a file, at most as many as ``BankFile/limits`` allows.
    static func accounts(_ accounts: [String], in transaction: PostgresTransaction) async throws -> Accounts {
        let rows = try await transaction.query(
            "select distinct account from bank_statement cross join unnest(accounts) as account order by account")
        let known: [String] = try rows.map { try $0["account"] }
        var found = Accounts()
        for account in accounts {
            let same = known.filter { BankAccount.isOne($0, account) }
            let whole = BankAccount.isIBAN(account) ? [account] : same.filter(BankAccount.isIBAN)
            // A number contained in two IBANs identifies neither.
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

    /// The beginning of a line's texts, which is compared: computed once for each line, because it is expensive.
    private static let text: SQL = "directory.folded(left(concat_ws(' ', counterparty, remittance), 100))"

    /// Groups each new line of a statement with earlier lines that may be the same payment: on the same account and
    /// day, from an earlier file, and not repeated in this one. Such a line has the same amount; among several, up to
    /// five are considered and the one with the most similar texts is taken. The parts of an entry also match a line
    /// with the amount of the whole, and a line matches the parts of which it is the whole.
    static func mark(
        _ id: BankStatement.ID, _ file: BankFile, said accounts: Accounts, in transaction: PostgresTransaction
    ) async throws {
        let rows = try await transaction.query(
            """
            with fresh as (
                select id, account, booked_on, amount, batch, batch_amount, \(text) as text
                from bank_line where statement = \(id)
            ), told as materialized (
                select unnest(\(file.entries.map(\.key))) as key
            ), earlier as materialized (
                \(earlier(id, accounts))
            ), twin as (
                select distinct on (fresh.id) fresh.id, earlier.leader
                from fresh join earlier using (account, booked_on, amount)
                order by fresh.id, directory.similarity(fresh.text, earlier.text) desc, earlier.leader
            ), whole as (
                \(wholes(id, accounts))
            ), part as materialized (
                \(parts(id, accounts))
            )
            select 'line ' || id as knot, id::text as line, false as "isKnown" from twin
            union all select 'line ' || id, leader::text, true from twin
            union all select 'batch ' || batch, leader::text, true from whole
            union all select 'batch ' || batch, id::text, false from fresh where batch in (select batch from whole)
            union all select concat_ws(' ', 'sum', booked_on, amount, account), leader::text, true from part
            union all select concat_ws(' ', 'sum', booked_on, amount, account), id::text, false
                from fresh join (select distinct account, booked_on, amount from part) as sum
                    using (account, booked_on, amount)
            """)
        try await put(try rows.decode(Knot.self), in: transaction)
    }

    /// Lines of earlier statements, on the account and day of `day`, that the file does not repeat.
    private static func old(_ id: BankStatement.ID, _ accounts: Accounts, _ condition: SQL) -> SQL {
        """
        \(accounts.said) join bank_line as old on old.account = said.spelling
        where said.account = day.account and old.booked_on = day.booked_on and \(condition)
            and old.statement <> \(id) and old.key not in (select key from told)
        """
    }

    /// Earlier lines with the days and amounts of new ones.
    private static func earlier(_ id: BankStatement.ID, _ accounts: Accounts) -> SQL {
        """
        select day.account, day.booked_on, day.amount, old.leader, old.text
        from (select distinct account, booked_on, amount from fresh) as day
        cross join lateral (
            select coalesce(old.alike, old.id) as leader, \(text) as text
            from \(old(id, accounts, "old.amount = day.amount"))
            order by old.id limit 5
        ) as old
        """
    }

    /// Earlier lines with the amount of an entry whose parts are new.
    private static func wholes(_ id: BankStatement.ID, _ accounts: Accounts) -> SQL {
        """
        select day.batch, old.leader
        from (select distinct account, booked_on, batch, batch_amount from fresh where batch is not null) as day
        cross join lateral (
            select coalesce(old.alike, old.id) as leader
            from \(old(id, accounts, "old.amount = day.batch_amount"))
            order by old.id limit 5
        ) as old
        """
    }

    /// Earlier parts of entries with the amount of a new line.
    private static func parts(_ id: BankStatement.ID, _ accounts: Accounts) -> SQL {
        """
        select distinct day.account, day.booked_on, day.amount, old.leader
        from (select distinct account, booked_on, amount from fresh) as day
        cross join lateral (
            select coalesce(old.alike, old.id) as leader
            from \(old(id, accounts, "old.batch is not null and old.batch_amount = day.amount"))
            offset 0
        ) as old
        """
    }

    /// A line, and the key that links it to others.
    private struct Knot: Decodable {
        var knot: String
        var line: String
        /// Whether it existed before, and is grouped with no other.
        var isKnown: Bool
    }

    /// Puts all linked lines into one group, led by the first that existed before.
    private static func put(_ knots: [Knot], in transaction: PostgresTransaction) async throws {
        var groups = AlikeGroups()
        for knot in knots { groups.join(knot.knot, knot.line) }
        let (all, known) = (
            Set(knots.map { ByteKey($0.line) }), Set(knots.filter(\.isKnown).map { ByteKey($0.line) })
        )
        var moved: [(line: String, leader: String)] = []
        for group in groups.all {
            let lines = group.filter { all.contains(ByteKey($0)) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            guard let leader = lines.first(where: { known.contains(ByteKey($0)) }) else { continue }
            moved += lines.filter { !$0.hasSameBytes(as: leader) }.map { ($0, leader) }
        }
        guard !moved.isEmpty else { return }
        let (lines, leaders) = (moved.map(\.line), moved.map(\.leader))
        // Locks in the same order as bookings lock a group, so that concurrent bookings wait instead of deadlocking.
        try await transaction.execute(
            """
            select from bank_line
            where id = any(\(lines + leaders)::text[]::uuid[]) or alike = any(\(lines + leaders)::text[]::uuid[])
            order by id for no key update
            """)
        try await transaction.execute(
            """
            update bank_line set alike = moved.leader::uuid
            from unnest(\(lines), \(leaders)) as moved (line, leader) where bank_line.alike = moved.line::uuid
            """)
        try await transaction.execute(
            """
            update bank_line set alike = moved.leader::uuid
            from unnest(\(lines), \(leaders)) as moved (line, leader) where bank_line.id = moved.line::uuid
            """)
    }
}

/// A union-find over strings: each link merges two sets.
struct AlikeGroups {
    private var places: [ByteKey: Int] = [:]
    private var texts: [String] = []
    private var parents: [Int] = []

    mutating func join(_ one: String, _ other: String) {
        let (first, second) = (root(place(of: one)), root(place(of: other)))
        parents[max(first, second)] = min(first, second)
    }

    var all: [[String]] {
        mutating get {
            var groups: [Int: [String]] = [:]
            for index in texts.indices { groups[root(index), default: []].append(texts[index]) }
            return Array(groups.values)
        }
    }

    private mutating func place(of text: String) -> Int {
        if let place = places[ByteKey(text)] { return place }
        places[ByteKey(text)] = texts.count
        parents.append(texts.count)
        texts.append(text)
        return texts.count - 1
    }

    private mutating func root(_ place: Int) -> Int {
        var place = place
        while parents[place] != place {
            parents[place] = parents[parents[place]]
            place = parents[place]
        }
        return place
    }
}
