/// Statements that travel together: one synchronisation point, one outcome.
struct Operation: Sendable {
    let id: UInt64
    /// Sent first, their results dropped: `begin`, `set local …`.
    var controls: [String] = []
    var statement: SQL
    var more: [SQL] = []
    /// False for statements that are not worth preparing, or cannot be.
    var prepares = true
    /// A statement of its own on a leased connection, which is given back with the answer.
    var isAlone = false
    /// The server's answer says that something lasts: a `commit`, or a statement that is in no transaction and may write.
    var commits = false
    /// It is nothing but a `commit`.
    var isCommit = false
    let submitted: UInt64
    let patience: Patience
    /// How often it was sent again, because the server had refused it before doing anything.
    var repeats = 0
    var completion: Completion
}

extension Operation {
    static let maximumRepeats = 3

    /// A procedure may commit on its own, before its answer.
    var isCall: Bool { statement.text.prefix(while: { $0.isLetter }).lowercased() == "call" }
}

/// Who waits for an operation.
enum Completion: Sendable {
    case one(Promise<Rows>)
    case many(Promise<[Rows]>)
    /// These listeners have their channels now.
    case listening([UInt64])
    /// The connection has forgotten its last caller.
    case reset
    /// Nobody does, or no longer.
    case nobody

    func fail(_ error: PostgresError) {
        switch self {
        case .one(let promise): promise.fail(error)
        case .many(let promise): promise.fail(error)
        case .listening, .reset, .nobody: break
        }
    }
}

/// An operation that was sent.
struct InFlight {
    var operation: Operation
    let sent: UInt64
    /// Results still to be dropped.
    var controls: Int
    var deallocations = 0
    /// Statements prepared with this operation; those before `prepared` were confirmed.
    var fresh: [SQL] = []
    var prepared = 0
    /// No statement of this operation has a greater serial.
    var serial = 0
    /// Of the first statement's rows.
    var shape: ResultShape?
    var first: ResultHandle?
    var more: [ResultHandle] = []
    var failure: PostgresError?
    var isStale = false
    /// It is known to write, and was not sent here.
    var writes = false

    /// Since when it has been committing, as far as one can tell: a statement of its own does so after it has done its work, for
    /// which the server's `statement_timeout` leaves it no longer than `limit`.
    func commitsSince(_ limit: UInt64) -> UInt64 { operation.isCommit ? sent : sent + limit }

    var isAbandoned: Bool {
        if case .nobody = operation.completion { true } else { false }
    }
}

/// What takes a connection out of the pipeline: COPY, and scripts of several statements.
enum RawRequest: Sendable {
    case script([UInt8])
    case copyIn(String)
    case copyData([UInt8])
    /// Ends a COPY, with an error that makes the server refuse it if there is one.
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
    /// Ended by the server's commit, and not by one that comes later.
    let commits: Bool
    let patience: Patience
    /// Nil for what nobody waits for, or no longer.
    var promise: Promise<RawReply>?
}

/// Who waits for a leased connection.
struct Waiter: Sendable {
    enum Wish: Sendable {
        /// A caller wants it for itself. It is known by the waiter's `id` until it is given back.
        case lease(Promise<Void>, reads: Bool)
        /// A statement wants it until it is answered.
        case statement(Operation)
    }

    let id: UInt64
    let since: UInt64
    let patience: Patience
    let wish: Wish

    /// Whether it writes nothing.
    var reads: Bool { if case .lease(_, let reads) = wish { reads } else { false } }

    func fail(_ error: PostgresError) {
        switch wish {
        case .lease(let promise, _): promise.fail(error)
        case .statement(let operation): operation.completion.fail(error)
        }
    }
}

/// In what state a leased connection comes back.
enum Return: Sendable {
    case clean
    /// Session state may have been left: `discard all`.
    case reset
    case discard
}

/// What a connection is for.
enum Purpose: Sendable, Hashable {
    case shared(Int)
    case leased
    case listener
}

/// What the loop is told.
enum Command: Sendable {
    case submit(Operation)
    case submitLeased(Operation, lease: UInt64)
    case raw(RawOperation, lease: UInt64)
    case acquire(Waiter)
    case giveBack(UInt64, Return)
    case abandon(UInt64)
    case listen(UInt64, channels: [String], AsyncStream<PostgresNotification>.Continuation)
    case unlisten(UInt64)
    case connected(attempt: UInt64, Result<ConnectionHandle, PostgresError>)
    /// A request to cancel what a wire does is over. True if it was either sent and taken, or not sent at all.
    case cancelled(wire: UInt64, isCertain: Bool)
    case shutDown(grace: UInt64, Promise<Void>?)

    /// The loop is gone: nobody waits in vain.
    func refuse() {
        switch self {
        case .submit(let operation), .submitLeased(let operation, _): operation.completion.fail(.shutDown)
        case .raw(let operation, _): operation.promise?.fail(.shutDown)
        case .acquire(let waiter): waiter.fail(.shutDown)
        case .listen(_, _, let continuation): continuation.finish()
        case .shutDown(_, let promise): promise?.succeed(())
        case .giveBack, .abandon, .unlisten, .connected, .cancelled: break
        }
    }
}
