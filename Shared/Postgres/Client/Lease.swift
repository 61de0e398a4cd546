import Synchronization

/// A connection that one caller has for itself, until it gives it back.
final class Lease: Sendable {
    private struct State {
        /// What has to be sent before the next statement: `begin` and its settings.
        var opening: [String] = []
        /// A transaction was begun on the server.
        var isOpen = false
        /// A statement lost against another transaction, was prepared for a table that has changed since, or lost its connection:
        /// the transaction is undone, and may be run again.
        var mustRepeat = false
        var savepoints = 0
        var isReturned = false
    }

    /// What a statement does to what lasts.
    enum Role {
        /// Nothing, outside of a transaction that was begun by the lease.
        case reading
        case ordinary
        /// Ends the transaction. Cancelling the task does not end the wait for these, the deadline does.
        case commit, rollback
    }

    let loop: Loop
    /// Under which the loop knows it.
    private let id: UInt64
    private let state = Mutex(State())

    private init(loop: Loop, id: UInt64) {
        self.loop = loop
        self.id = id
    }

    deinit {
        giveBack(.discard)
    }

    /// - Parameter reads: nothing that is written waits for a commit on it.
    static func acquire(_ loop: Loop, reads: Bool = false) async throws -> Lease {
        let now = MonotonicClock.now
        // Who has a deadline has said how long it waits.
        let patience = try Patience(
            now: now, limit: PostgresDeadline.current == nil ? loop.acquireLimit : UInt64.max / 2)
        let id = loop.nextIdentifier()
        let _: Void = try await loop.perform(id) { promise in
            .acquire(Waiter(id: id, since: now, patience: patience, wish: .lease(promise, reads: reads)))
        }
        return Lease(loop: loop, id: id)
    }

    func giveBack(_ how: Return) {
        let isFirst = state.withLock { state in
            defer { state.isReturned = true }
            return !state.isReturned
        }
        if isFirst { loop.mailbox.post(.giveBack(id, how)) }
    }

    // MARK: - Statements

    func query(_ sql: SQL, prepares: Bool = true, as role: Role = .ordinary) async throws -> Rows {
        try await submit(role) { promise, base in
            var operation = base(sql, .one(promise))
            operation.prepares = prepares
            return operation
        }
    }

    /// Several statements in one round trip; if one fails, those after it are not run.
    func batch(_ statements: [SQL], prepares: Bool = true, as role: Role = .ordinary) async throws -> [Rows] {
        guard let first = statements.first else { return [] }
        return try await submit(role) { promise, base in
            var operation = base(first, .many(promise))
            operation.more = Array(statements.dropFirst())
            operation.prepares = prepares
            return operation
        }
    }

    private func submit<Value: Sendable>(
        _ role: Role, _ operation: (Promise<Value>, _ base: (SQL, Completion) -> Operation) -> Operation
    ) async throws -> Value {
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: loop.answerLimit)
        let (controls, isOpen) = try takeOpening()
        let isEnd = role == .commit || role == .rollback
        do {
            let number = loop.nextIdentifier()
            return try await loop.perform(number, shielded: isEnd) { promise in
                .submitLeased(
                    operation(promise) { statement, completion in
                        Operation(
                            id: number, controls: controls, statement: statement,
                            commits: role == .commit || role == .ordinary && !isOpen, isCommit: role == .commit,
                            submitted: now, patience: patience, completion: completion)
                    }, lease: id)
            }
        } catch let error as PostgresError {
            note(error, isCommit: role == .commit)
            throw error
        }
    }

    func raw(_ request: RawRequest, limit: UInt64? = nil) async throws -> RawReply {
        let (controls, isOpen) = try takeOpening()
        if let last = controls.last {
            state.withLock { $0.isOpen = false }
            throw PostgresError(.server, message: "\(last) was not sent")
        }
        let patience = try Patience(now: MonotonicClock.now, limit: limit ?? loop.answerLimit)
        let number = loop.nextIdentifier()
        do {
            return try await loop.perform(number) { promise in
                .raw(
                    RawOperation(
                        id: number, request: request, commits: !isOpen && !request.onlyReads, patience: patience,
                        promise: promise),
                    lease: id)
            }
        } catch let error as PostgresError {
            note(error, isCommit: false)
            throw error
        }
    }

    /// Sends `begin` by itself, for what cannot travel with it.
    func sendOpening() async throws {
        let controls = state.withLock { $0.opening }
        if !controls.isEmpty { _ = try await query("select 1") }
    }

    /// What is to be sent first, and whether there is a transaction then.
    private func takeOpening() throws -> ([String], isOpen: Bool) {
        try state.withLock { state in
            guard !state.isReturned else { throw PostgresError.connectionClosed }
            if state.opening.isEmpty { return ([], state.isOpen) }
            defer {
                state.opening = []
                state.isOpen = true
            }
            return (state.opening, true)
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
            if mustRepeat && mayRetry && !Task.isCancelled { return .lost }
            throw error
        }
    }

    /// A moment of chance, so that those who fought do not meet again.
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
            if left < loop.configuration.statementTimeout.wholeMilliseconds {
                opening.append("set local statement_timeout = \(max(1, left))")
            }
        }
        state.withLock { state in
            state.opening = opening
            state.isOpen = false
            state.mustRepeat = false
        }
    }

    /// The body has done its work. A deadline that has passed by now makes it undone; from then on it ends the wait, and the error
    /// says that the outcome is unknown. A cancelled task waits like any other.
    private func commit() async throws {
        guard close() else { return }
        do {
            let rows = try await query("commit", prepares: false, as: .commit)
            guard rows.handle.commandTag == "COMMIT" else {
                throw PostgresError(
                    .server, sqlState: SQLState.failedTransaction,
                    message: "rolled back, for a statement of the transaction had failed")
            }
        } catch let error as PostgresError where error.kind == .timeout {
            // It was never sent, so the transaction is still open.
            giveBack(.discard)
            throw error
        }
    }

    /// The caller waits for it, since what it does next may need the locks, but not beyond its deadline.
    private func rollBack() async {
        guard close() else { return }
        do {
            _ = try await query("rollback", prepares: false, as: .rollback)
        } catch {
            // The loop rolls it back, in its own time.
            giveBack(.discard)
        }
    }

    /// True if there is a transaction on the server to be ended.
    private func close() -> Bool {
        state.withLock { state in
            defer {
                state.opening = []
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
            if (try? await batch(statements, prepares: false)) != nil {
                // A deadlock was resolved by what was rolled back; a serialization failure was not.
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
    /// It lost against another one, and may be run again.
    case lost
}
