package import ClubProtocol
import Logging
package import Postgres

/// One kind of personal data, and what happens to it when its retention period ends. The period is in the table
/// `retention_rule`, under the same code.
package struct RetentionTask: Sendable {
    /// A statement that finds what is due, with the columns `id` (uuid) and `since` (time).
    package typealias Due = @Sendable (_ months: Int) -> SQL
    /// Enforces the rule on what is due.
    ///
    /// - Returns: how many rows it affected.
    package typealias Enforce = @Sendable (_ months: Int, _ job: JobContext) async throws -> Int

    let code: Line
    let what: String
    let due: Due
    let enforce: Enforce

    package init(_ code: Line, _ what: String, due: @escaping Due, enforce: @escaping Enforce) {
        self.code = code
        self.what = what
        self.due = due
        self.enforce = enforce
    }

    /// A task that consists of one statement, run in batches until it finds nothing. The audit trail records the size
    /// of each batch.
    ///
    /// - Parameter statement: affects at most as many rows as its second parameter, and returns their `id`.
    package init(
        _ code: Line, _ what: String, on backend: Backend, due: @escaping Due,
        statement: @escaping @Sendable (_ months: Int, _ atMost: Int) -> SQL
    ) {
        self.init(code, what, due: due) { months, job in
            var count = 0
            while true {
                let done = try await backend.database.transaction { transaction in
                    try await job.fence(in: transaction)
                    let done = try await transaction.query(statement(months, Self.atOnce)).count
                    if done > 0 {
                        try await transaction.record(
                            .changed, .retentionRule, code, values: Enforced(count: done), by: .service(backend.name))
                    }
                    return done
                }
                count += done
                if done < Self.atOnce { return count }
            }
        }
    }

    private struct Enforced: Encodable, Sendable {
        var count: Int
    }

    private static let atOnce = 500
}

/// `/v1/retention-rules`, and the job that enforces them.
struct RetentionRoutes: Sendable {
    let backend: Backend
    let tasks: [RetentionTask]

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ListRetentionRules.self) { _ in
            var rules: [RetentionRule] = []
            for task in tasks {
                if let rule = try await rule(task, on: backend.database) { rules.append(rule) }
            }
            return .value(Page(items: rules))
        }
        builder.routes.write(ChangeRetentionRule.self) { call, transaction in
            let rule = try await change(call, in: transaction)
            return .value(rule, version: rule.version)
        }
        builder.routes.read(ListRetentionDue.self) { call in
            let task = try task(call.path)
            guard let rule = try await rule(task, on: backend.database) else { throw Problem(.notFound) }
            let after: SQL = if let id = call.page.after?.first { "where id > \(id)::uuid" } else { "" }
            let rows = try await backend.database.query(
                """
                select id, since from (\(task.due(rule.months))) as due \(after)
                order by id limit \(call.page.limit + 1)
                """)
            return try .page(rows, call.page, key: "id")
        }
        // At night, when no one waits for what it locks.
        builder.schedule("retention", .daily(at: "03:30"), enforce)
    }

    /// Enforces every rule; a failure of one does not stop the others.
    @Sendable func enforce(_ job: JobContext) async throws {
        var failure: (any Error)?
        for task in tasks {
            do {
                // Without counting what is due: enforcing finds it anyway.
                guard let months = try await months(task, on: backend.database) else { continue }
                let count = try await task.enforce(months, job)
                try await backend.database.execute(
                    "update retention_rule set last_run = now(), last_count = \(count)::integer where code = \(task.code)"
                )
                if count > 0 {
                    job.logger.notice(
                        "retention period over", metadata: ["rule": "\(task.code)", "count": "\(count)"])
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func change(
        _ call: Call<ChangeRetentionRule>, in transaction: PostgresTransaction
    ) async throws -> RetentionRule {
        let task = try task(call.path)
        let row = try await transaction.first(
            "select version from retention_rule where code = \(task.code) for update")
        guard let version: Int = try row?["version"] else { throw Problem(.notFound) }
        guard version == call.ifMatch else { throw Problem(.stale) }
        try await transaction.execute(
            """
            update retention_rule set months = \(call.body.months)::integer, version = version + 1, updated_at = now()
            where code = \(task.code)
            """)
        try await transaction.record(
            .changed, .retentionRule, task.code, version: version + 1, values: call.body, by: call.principal)
        guard let rule = try await rule(task, on: transaction) else { throw Problem(.notFound) }
        return rule
    }

    private func task(_ code: Line) throws(Problem) -> RetentionTask {
        guard let task = tasks.first(where: { $0.code == code }) else { throw Problem(.notFound) }
        return task
    }

    private func months(_ task: RetentionTask, on executor: any PostgresExecutor) async throws -> Int? {
        try await executor.first("select months from retention_rule where code = \(task.code)")?["months"]
    }

    private func rule(_ task: RetentionTask, on executor: any PostgresExecutor) async throws -> RetentionRule? {
        let found = try await executor.first(
            "select months, last_run, last_count, version from retention_rule where code = \(task.code)")
        guard let found else { return nil }
        let months: Int = try found["months"]
        let count = try await executor.first("select count(*) as due from (\(task.due(months))) as due")
        return RetentionRule(
            code: task.code, what: task.what, months: months, due: try count?["due"] ?? 0,
            lastRun: try found.optional("last_run"), lastCount: try found.optional("last_count"),
            version: try found["version"])
    }
}

extension ServiceBuilder {
    /// Keeps personal data only as long as the service's rules allow: serves `/v1/retention-rules`, and enforces the
    /// rules every night.
    ///
    /// - Parameter tasks: each needs a row with its code in `retention_rule`, which a migration of the service adds.
    package mutating func retention(_ backend: Backend, _ tasks: [RetentionTask]) {
        RetentionRoutes(backend: backend, tasks: tasks).mount(on: &self)
    }
}
