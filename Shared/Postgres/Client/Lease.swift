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

    let loop: Loop
    private let connection: UInt64
    private let state = Mutex(State())

    private init(loop: Loop, connection: UInt64) {
        self.loop = loop
        self.connection = connection
    }

    deinit {
        giveBack(.discard)
    }

    static func acquire(_ loop: Loop) async throws -> Lease {
        let now = MonotonicClock.now
        let patience = try Patience(now: now, limit: loop.acquireLimit)
        let id = loop.nextIdentifier()
        let connection: UInt64 = try await loop.perform(id) { promise in
            .acquire(Waiter(id: id, since: now, patience: patience, promise: promise))
        }
        return Lease(loop: loop, connection: connection)
    }

    func giveBack(_ how: Return) {
        let isFirst = state.withLock { state in
            defer { state.isReturned = true }
            return !state.isReturned
        }
        if isFirst { loop.mailbox.post(.giveBack(connection, how)) }
    }

    // MARK: - Statements

    /// - Parameter shielded: cancelling the task does not end the wait: for what ends a transaction.
    func query(_ sql: SQL, prepares: Bool = true, shielded: Bool = false) async throws -> Rows {
        try await submit(shielded: shielded) { promise, now, id, patience, controls in
            Operation(
                id: id, controls: controls, statement: sql, prepares: prepares, submitted: now, patience: patience,
                completion: .one(promise))
        }
    }

    /// Several statements in one round trip; if one fails, those after it are not run.
    func batch(_ statements: [SQL], prepares: Bool = true) async throws -> [Rows] {
        guard let first = statements.first else { return [] }
        return try await submit(shielded: false) { promise, now, id, patience, controls in
            Operation(
                id: id, controls: controls, statement: first, more: Array(statements.dropFirst()), prepares: prepares,
                submitted: now, patience: patience, completion: .many(promise))
        }
    }

    private func submit<Value: Sendable>(
        shielded: Bool,
        _ operation: (Promise<Value>, UInt64, UInt64, Patience, [String]) -> Operation
    ) async throws -> Value {
        let now = MonotonicClock.now
        let patience =
            shielded
            ? Patience(loop: now, limit: loop.answerLimit)
            : try Patience(now: now, limit: loop.answerLimit)
        let controls = try takeOpening()
        let id = loop.nextIdentifier()
        do {
            return try await loop.perform(id, shielded: shielded) { promise in
                .submitLeased(operation(promise, now, id, patience, controls), connection: connection)
            }
        } catch let error as PostgresError {
            note(error, isCommit: shielded)
            throw error
        }
    }

    func raw(_ request: RawRequest, limit: UInt64? = nil) async throws -> RawReply {
        if let last = try takeOpening().last {
            state.withLock { $0.isOpen = false }
            throw PostgresError(.server, message: "\(last) was not sent")
        }
        let patience = try Patience(now: MonotonicClock.now, limit: limit ?? loop.answerLimit)
        let id = loop.nextIdentifier()
        do {
            return try await loop.perform(id) { promise in
                .raw(
                    RawOperation(id: id, request: request, patience: patience, promise: promise), connection: connection
                )
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

    private func takeOpening() throws -> [String] {
        try state.withLock { state in
            guard !state.isReturned else { throw PostgresError.connectionClosed }
            if state.opening.isEmpty { return [] }
            defer {
                state.opening = []
                state.isOpen = true
            }
            return state.opening
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

    /// The body has done its work: neither a cancelled task nor a passed deadline makes it undone while the commit is on its way.
    private func commit() async throws {
        guard close() else { return }
        let rows = try await query("commit", prepares: false, shielded: true)
        guard rows.handle.commandTag == "COMMIT" else {
            throw PostgresError(
                .server, sqlState: SQLState.failedTransaction,
                message: "rolled back, for a statement of the transaction had failed")
        }
    }

    private func rollBack() async {
        guard close() else { return }
        do {
            _ = try await query("rollback", prepares: false, shielded: true)
        } catch {
            // A connection that cannot roll back is not used again.
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
