import NIOCore

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

/// Messages to the part of the pool on one event loop.
enum Command: Sendable {
    case submit(Operation)
    case submitLeased(Operation, lease: UInt64)
    case acquire(Waiter)
    case release(UInt64, Return)
    case abandon(UInt64, isRepeated: Bool)
    case listen(UInt64, channels: [String], AsyncStream<PostgresNotification>.Continuation)
    case unlisten(UInt64)
    case connected(attempt: UInt64, Result<Session, PostgresError>)
    /// A request to cancel the work on a wire has ended. True if the server accepted it, or if it was not sent at
    /// all.
    case cancelled(wire: UInt64, isCertain: Bool)
    /// Another event loop has its first connection, or its first one for reads.
    case serverIsBack
    case shutDown(grace: UInt64, Promise<Void>?)

    /// The loop has ended: fails the caller that waits for the command.
    func refuse() {
        switch self {
        case .submit(let operation), .submitLeased(let operation, _): operation.completion.fail(.shutDown)
        case .acquire(let waiter): waiter.fail(.shutDown)
        case .listen(_, _, let continuation): continuation.finish()
        case .shutDown(_, let promise): promise?.succeed(())
        case .connected(_, let outcome): if case .success(let session) = outcome { session.channel.close(promise: nil) }
        case .release, .abandon, .unlisten, .cancelled, .serverIsBack: break
        }
    }
}
