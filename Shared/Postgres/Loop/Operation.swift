/// Statements sent together, with one synchronization point and one outcome.
struct Operation: Sendable {
    let id: UInt64
    /// Sent first; their results are dropped: `begin`, `set local …`.
    var controls: [String] = []
    var statement: SQL
    var more: [SQL] = []
    /// False for statements that are not worth preparing, or cannot be.
    var prepares = true
    /// A single statement on a leased connection, which is released with the response.
    var isAlone = false
    /// The server's response confirms a commit: for a `commit`, or a statement outside a transaction that may write.
    var commits = false
    /// It is only a `commit`.
    var isCommit = false
    let submitted: UInt64
    let patience: Patience
    /// How often it was resent because the server had refused it without any effect.
    var repeats = 0
    var completion: Completion
}

extension Operation {
    static let maximumRepeats = 3

    /// A procedure may commit by itself before it responds.
    var isCall: Bool { statement.text.prefix(while: { $0.isLetter }).lowercased() == "call" }
}

/// Who waits for the result of an operation.
enum Completion: Sendable {
    case one(Promise<Rows>)
    case many(Promise<[Rows]>)
    /// These listeners' channels are active now.
    case listening([UInt64])
    /// The connection has been reset after its last caller.
    case reset
    /// No one, or no longer anyone.
    case ignored

    func fail(_ error: PostgresError) {
        switch self {
        case .one(let promise): promise.fail(error)
        case .many(let promise): promise.fail(error)
        case .listening, .reset, .ignored: break
        }
    }
}

/// An operation that has been sent.
struct InFlight {
    var operation: Operation
    let sent: UInt64
    /// The number of results still to be dropped.
    var controls: Int
    var deallocations = 0
    /// Statements prepared with this operation; the first `prepared` of them are confirmed.
    var fresh: [SQL] = []
    var prepared = 0
    /// The greatest serial of this operation's statements.
    var serial = 0
    /// The shape of the first statement's rows.
    var shape: ResultShape?
    var first: ResultHandle?
    var more: [ResultHandle] = []
    var failure: PostgresError?
    var isStale = false
    /// It is known to write, and was not sent on this connection.
    var writes = false

    /// The estimated start of its commit. A statement that commits by itself does so after its work, which the
    /// server's `statement_timeout` limits to `limit`.
    func commitsSince(_ limit: UInt64) -> UInt64 { operation.isCommit ? sent : sent + limit }

    var isAbandoned: Bool {
        if case .ignored = operation.completion { true } else { false }
    }
}

/// What takes a connection out of pipeline mode: COPY, and scripts of several statements.
enum RawRequest: Sendable {
    case script([UInt8])
    case copyIn(String)
    case copyData([UInt8])
    /// Ends a COPY; `abort` makes the server refuse it.
    case copyEnd(abort: Bool)
    case copyOut(String)
    case copyRead

    var onlyReads: Bool {
        switch self {
        case .copyOut, .copyRead: true
        case .script, .copyIn, .copyData, .copyEnd: false
        }
    }
}

enum RawReply: Sendable {
    case ready
    case data([UInt8])
    case done(affected: Int)
}

struct RawOperation: Sendable {
    let id: UInt64
    let request: RawRequest
    /// Whether the server commits at the end of this step, not at a later one.
    let commits: Bool
    let patience: Patience
    /// Nil if no one waits, or no longer anyone.
    var promise: Promise<RawReply>?
}

/// A caller waiting for a leased connection.
struct Waiter: Sendable {
    enum Wish: Sendable {
        /// A caller wants exclusive use. The lease has the waiter's `id` until it is released.
        case lease(Promise<Void>, reads: Bool)
        /// A statement needs it until its response.
        case statement(Operation)
    }

    let id: UInt64
    let since: UInt64
    let patience: Patience
    let wish: Wish

    /// Whether it only reads.
    var reads: Bool { if case .lease(_, let reads) = wish { reads } else { false } }

    func fail(_ error: PostgresError) {
        switch wish {
        case .lease(let promise, _): promise.fail(error)
        case .statement(let operation): operation.completion.fail(error)
        }
    }
}

/// The state in which a leased connection is released.
enum Return: Sendable {
    case clean
    /// There may be session state left: `discard all`.
    case reset
    case discard
}

/// What a connection is for.
enum Purpose: Sendable, Hashable {
    case shared(Int)
    case leased
    case listener
}

/// Messages to the loop.
enum Command: Sendable {
    case submit(Operation)
    case submitLeased(Operation, lease: UInt64)
    case raw(RawOperation, lease: UInt64)
    case acquire(Waiter)
    case release(UInt64, Return)
    case abandon(UInt64)
    case listen(UInt64, channels: [String], AsyncStream<PostgresNotification>.Continuation)
    case unlisten(UInt64)
    case connected(attempt: UInt64, Result<ConnectionHandle, PostgresError>)
    /// A request to cancel the work on a wire has ended. True if the server accepted it, or if it was not sent at
    /// all.
    case cancelled(wire: UInt64, isCertain: Bool)
    case shutDown(grace: UInt64, Promise<Void>?)

    /// The loop has ended: fails the caller that waits for the command.
    func refuse() {
        switch self {
        case .submit(let operation), .submitLeased(let operation, _): operation.completion.fail(.shutDown)
        case .raw(let operation, _): operation.promise?.fail(.shutDown)
        case .acquire(let waiter): waiter.fail(.shutDown)
        case .listen(_, _, let continuation): continuation.finish()
        case .shutDown(_, let promise): promise?.succeed(())
        case .release, .abandon, .unlisten, .connected, .cancelled: break
        }
    }
}
