import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of letters to members about their contributions.
enum ReminderStore {
    typealias ReminderID = Identifier<ContributionReminders>

    /// The content of a letter, while something is owed.
    struct Open: Decodable {
        var step: ContributionReminder.Step
        /// The organization's mailbox for accounting, if it has one.
        var recipient: Recipient
        var contribution: Contribution.ID
        var organization: Line
        var year: Int
        var number: Int
        var dueOn: Day
        /// In cents.
        var rest: Int
    }

    /// Whether there is an address to write to about an organization's contributions.
    private static let hasAddress = Recipient.exists(.organization, "organization.id", role: .accounting)

    /// The step due today. Nothing is sent for contributions more than two months overdue: those need a person.
    private static let due: SQL = """
        select contribution.id, case
                when due_on <= directory.today() - 30 then 'final' when due_on <= directory.today() - 15 then 'late'
                when due_on >= directory.today() and due_on <= directory.today() + 7 then 'upcoming'
                when due_on > directory.today() + 7 then 'called'
            end as step, \(hasAddress) as has_address
        from contribution join organization on organization.id = contribution.organization
        where paid < amount and due_on > directory.today() - 60 and cancelled_on is null
        """

    private static let unasked: SQL = """
        not exists (
            select from contribution_reminder as earlier where earlier.contribution = due.id and earlier.step = due.step)
        """

    /// Adds the letters that are due and were not added before; each step of a contribution has one.
    static func ask(in transaction: PostgresTransaction) async throws -> [ReminderID] {
        try await transaction.query(
            """
            insert into contribution_reminder (id, contribution, step)
            select gen_random_uuid(), due.id, step from (\(due)) as due
            where step is not null and has_address and \(unasked)
            order by due.id
            on conflict do nothing
            returning id
            """
        ).map { try $0["id"] }
    }

    /// How many due letters have no address to go to.
    static func withoutAddress(on executor: any PostgresExecutor) async throws -> Int {
        let row = try await executor.first(
            "select count(*) as count from (\(due)) as due where step is not null and not has_address")
        return try row?["count"] ?? 0
    }

    /// What to write; nil if all has been paid since, or the letter has been sent.
    static func open(_ reminder: ReminderID, on executor: any PostgresExecutor) async throws -> Open? {
        try await executor.first(
            """
            select step, contribution.id as contribution, \(Recipient.column), organization.name as organization, year,
                number, due_on as "dueOn", amount - paid as rest
            from contribution_reminder as reminder
            join contribution on contribution.id = reminder.contribution
            join organization on organization.id = contribution.organization
            \(Recipient.join(.organization, "organization.id", role: .accounting))
            where reminder.id = \(reminder) and mailed_at is null and paid < amount and cancelled_on is null
            """)?.decode(Open.self)
    }

    /// Letters that are due today but not added yet, and those that were added; each kind by an index of its own.
    static func list(
        _ query: ListContributionReminders.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let after = try page.position.map { position -> SQL in
            "(contribution, step) < (\(position.key)::text::uuid, \(position.code))"
        }
        let order: SQL = "order by contribution desc, step desc limit \(page.limit + 1)"
        let due: SQL = """
            (select contribution, step, null::timestamptz as asked_at, null::timestamptz as mailed_at, 'due' as state
            from (select id as contribution, due.* from (\(Self.due)) as due) as due
            where step is not null and \(unasked) and \(after ?? "true") \(order))
            """
        func asked(_ state: SQL?) -> SQL {
            """
            (select contribution, step, asked_at, mailed_at,
                case when mailed_at is null then 'asked' else 'sent' end as state
            from contribution_reminder
            where \(state ?? "true") and \(after ?? "true") \(order))
            """
        }
        let found: SQL =
            switch query.state {
            case .due: due
            case .asked: asked("mailed_at is null")
            case .sent: asked("mailed_at is not null")
            case nil: [due, asked(nil)].joined(separator: " union all ")
            }
        return try await executor.query(
            """
            select reminder.contribution, contribution.organization, organization.name, year, number, step, state,
                due_on as "dueOn", due_on - directory.today() as days,
                \(SQL.money("case when cancelled_on is null then amount - paid else 0 end")) as owed,
                \(hasAddress) as "hasAddress", asked_at as "askedAt", mailed_at as "sentAt"
            from (\(found)) as reminder
            join contribution on contribution.id = reminder.contribution
            join organization on organization.id = contribution.organization
            order by reminder.contribution desc, step desc limit \(page.limit + 1)
            """)
    }

    static func mailed(_ reminder: ReminderID, on executor: any PostgresExecutor) async throws {
        try await executor.execute("update contribution_reminder set mailed_at = now() where id = \(reminder)")
    }
}
