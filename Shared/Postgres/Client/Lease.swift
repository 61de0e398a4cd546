import Synchronization

/// A connection used exclusively by one caller until it is released.
final class Lease: Sendable {
    private struct State {
        /// What must be sent before the first statement of the transaction: `begin` and its settings.
        var opening: [String] = []
        /// The number of the transaction; 0 if there is none.
        var transaction: UInt64 = 0
        /// A statement of the transaction was sent.
        var isOpen = false
        /// A statement failed because of a serialization conflict, a changed table, or a lost connection: the
        /// transaction is rolled back and may be retried.
        var mustRepeat = false
        /// What is sent together with the commit.
        var closing: [SQL] = []
        var savepoints = 0
        var isReleased = false
    }

    /// What a statement changes durably.
    enum Role {
        /// Nothing, and it runs outside any transaction that the lease began.
        case reading
        case ordinary
        /// Ends the transaction. Only the deadline ends the wait for these; cancelling the task does not.
        case commit, rollback
    }

    let pool: Pool
    /// Identifies the lease in the pool.
    private let id: UInt64
    private let state = Mutex(State())

    private init(pool: Pool, id: UInt64) {
        self.pool = pool
        self.id = id
    }

    deinit {
        release(.discard)
    }

    /// - Parameter reads: whether nothing is written, so that no caller will wait for a commit on it.
    static func acquire(_ pool: Pool, reads: Bool = false) async throws -> Lease {
        let now = MonotonicClock.now
        // With a deadline, the caller has set its own time limit.
        let patience = try Patience(
            now: now, limit: PostgresDeadline.current == nil ? pool.acquireLimit : UInt64.max / 2)
        let id = pool.nextIdentifier()
        let _: Void = try await pool.perform(id, on: Pool.first) { promise in
            .acquire(Waiter(id: id, since: now, patience: patience, wish: .lease(promise, reads: reads)))
        }
        return Lease(pool: pool, id: id)
    }

    func release(_ state: Return) {
        let isFirst = self.state.withLock { state in
            defer { state.isReleased = true }
            return !state.isReleased
        }
        if isFirst { pool.send(.release(id, state), to: Pool.first) }
    }

    // MARK: - Statements

    func query(_ sql: SQL, prepares: Bool = true, as role: Role = .ordinary) async throws -> Rows {
        try sql.validate()
        return try await submit(role) { promise, base in
            var operation = base(sql, .one(promise))
            operation.prepares = prepares
            return operation
        }
    }

    /// Several statements in one round trip; if one fails, the following ones are not run.
    func batch(_ statements: [SQL], prepares: Bool = true, as role: Role = .ordinary) async throws -> [Rows] {
        guard let first = statements.first else { return [] }
        for statement in statements { try statement.validate() }
        return try await submit(role) { promise, base in
            var operation = base(first, .many(promise))
            operation.more = Array(statements.dropFirst())
            operation.prepares = prepares
            return operation
        }
    }

    private func submit<Value: Sendable>(
        _ role: Role, limit: UInt64? = nil,
        _ operation: (Promise<Value>, _ base: (SQL, Completion) -> Operation) -> Operation
    ) async throws -> Value {
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: limit ?? pool.answerLimit)
        let transaction = try openTransaction()
        let isEnd = role == .commit || role == .rollback
        let commits = role == .commit || role == .ordinary && transaction.number == 0
        do {
            let number = pool.nextIdentifier()
            return try await pool.perform(number, on: Pool.first, shielded: isEnd) { promise in
                .submitLeased(
                    operation(promise) { statement, completion in
                        Operation(
                            id: number, controls: transaction.opening, transaction: transaction.number,
                            statement: statement, commits: commits, isCommit: role == .commit, submitted: now,
                            patience: patience, completion: completion)
                    }, lease: id)
            }
        } catch let error as PostgresError {
            if role != .rollback { note(error, isCommit: role == .commit) }
            throw error
        }
    }

    /// Several statements as in a file. Only the task's deadline and the server's time limits apply.
    func script(_ text: [UInt8]) async throws {
        let _: Rows = try await submit(.ordinary, limit: 1_000_000_000_000_000_000) { promise, base in
            var operation = base(.empty, .one(promise))
            operation.script = text
            return operation
        }
    }

    /// The transaction that the next statement belongs to, and what begins it.
    private func openTransaction() throws -> (opening: [String], number: UInt64) {
        try state.withLock { state in
            guard !state.isReleased else { throw PostgresError.connectionClosed }
            state.isOpen = state.transaction != 0
            return (state.opening, state.transaction)
        }
    }

    private func note(_ error: PostgresError, isCommit: Bool) {
        let wasUndone = error.effect == .none || error.effect == .undoneUnlessCommitted && !isCommit
        if error.isSerializationConflict || wasUndone { state.withLock { $0.mustRepeat = true } }
    }

    // MARK: - Transactions

    /// Runs a transaction once.
    nonisolated(nonsending) func attempt<T: Sendable>(
        readOnly: Bool, mayRetry: Bool, _ body: (PostgresTransaction) async throws -> T
    ) async throws -> Attempt<T> {
        begin(readOnly: readOnly)
        do {
            let value = try await body(PostgresTransaction(lease: self))
            try await commit()
            return .done(value)
        } catch {
            await rollBack()
            let mustRepeat = state.withLock { $0.mustRepeat }
            // It may have been committed.
            let isUncertain = (error as? PostgresError)?.kind == .unknownOutcome
            if mustRepeat && mayRetry && !isUncertain && !Task.isCancelled { return .lost }
            throw error
        }
    }

    /// A random back-off, so that conflicting transactions do not collide again.
    static func pause(before attempt: Int) async throws {
        let ceiling = min(200, 4 << min(attempt, 6))
        do {
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...ceiling)))
        } catch {
            throw PostgresError.taskCancelled
        }
    }

    private func begin(readOnly: Bool) {
        var opening = ["begin isolation level read committed\(readOnly ? " read only" : "")"]
        if let deadline = PostgresDeadline.current {
            let left = ContinuousClock.now.duration(to: deadline).wholeMilliseconds
            if left < pool.configuration.statementTimeout.wholeMilliseconds {
                opening.append("set local statement_timeout = \(max(1, left))")
            }
        }
        let number = pool.nextIdentifier()
        state.withLock { state in
            state.opening = opening
            state.transaction = number
            state.isOpen = false
            state.mustRepeat = false
            state.closing = []
        }
    }

    /// Adds a statement that is sent together with the commit.
    func close(with statement: SQL) throws {
        try statement.validate()
        state.withLock { $0.closing.append(statement) }
    }

    /// Commits after the body has returned. If the deadline has already passed, the transaction is rolled back
    /// instead. After that the deadline only ends the wait, with an error that the outcome is unknown. Cancelling the
    /// task does not end the wait.
    private func commit() async throws {
        let closing = state.withLock { exchange(&$0.closing, with: []) }
        if !closing.isEmpty, state.withLock({ !$0.isOpen }) {
            // They are all that there is, so that they begin the transaction.
            _ = try await batch(closing)
            return try await commit()
        }
        guard close() else { return }
        do {
            let results = try await batch(closing + ["commit"], prepares: !closing.isEmpty, as: .commit)
            guard results.last?.result.commandTag == "COMMIT" else {
                throw PostgresError(
                    .server, sqlState: SQLState.failedTransaction,
                    message: "rolled back, for a statement of the transaction had failed")
            }
        } catch let error as PostgresError where error.kind == .timeout {
            // `commit` was never sent, so the transaction is still open.
            release(.discard)
            throw error
        } catch let error as PostgresError where error.kind == .server && !closing.isEmpty {
            // If one of them failed, the server ignored the `commit` behind it.
            _ = try? await query("rollback", prepares: false, as: .rollback)
            throw error
        }
    }

    /// Waits for the rollback, since the caller may need the locks next, but not beyond the deadline.
    private func rollBack() async {
        guard close() else { return }
        do {
            _ = try await query("rollback", prepares: false, as: .rollback)
        } catch {
            // The pool rolls back in the background.
            release(.discard)
        }
    }

    /// True if a transaction on the server has to be ended.
    private func close() -> Bool {
        state.withLock { state in
            defer {
                state.opening = []
                state.transaction = 0
                state.isOpen = false
            }
            return state.isOpen
        }
    }

    nonisolated(nonsending) func savepoint<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        let name = state.withLock { state in
            state.savepoints += 1
            return "savepoint_\(state.savepoints)"
        }
        _ = try await query(SQL(control: "savepoint \(name)"), prepares: false)
        do {
            let value = try await body()
            _ = try await query(SQL(control: "release savepoint \(name)"), prepares: false)
            return value
        } catch {
            let statements = [SQL(control: "rollback to savepoint \(name)"), SQL(control: "release savepoint \(name)")]
            // Also when the task was cancelled: the caller may commit the rest.
            if (try? await batch(statements, prepares: false, as: .rollback)) != nil {
                // Rolling back to the savepoint resolves a deadlock, but not a serialization failure.
                if (error as? PostgresError)?.sqlState == SQLState.deadlockDetected {
                    state.withLock { $0.mustRepeat = false }
                }
            }
            throw error
        }
    }
}

/// How a transaction ended.
enum Attempt<T: Sendable>: Sendable {
    case done(T)
    /// It lost a conflict and may be retried.
    case lost
}
