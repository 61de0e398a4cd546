/// Statements sent together, with one outcome.
struct Operation: Sendable {
    let id: UInt64
    /// Sent first; their results are dropped: `begin`, `set local …`.
    var controls: [String] = []
    /// The transaction that its controls begin, if no earlier statement has begun it; 0 if they begin none.
    var transaction: UInt64 = 0
    var statement: SQL
    var more: [SQL] = []
    /// Sent instead of the statement: several statements as in a file.
    var script: [UInt8]?
    /// False for statements that are not worth preparing, or cannot be.
    var prepares = true
    /// A single statement on a leased connection, which is released with the response.
    var isAlone = false
    /// The server's response confirms a commit: for a `commit`, or a statement outside a transaction that may write.
    var commits = false
    /// It is a `commit`, after statements that do not take long if there are any.
    var isCommit = false
    let submitted: UInt64
    let patience: Patience
    /// It comes from another loop, whose connections were gone or held up.
    var isPassedOn = false
    /// How often it was resent because the server had refused it without any effect.
    var repeats = 0
    /// It has its own synchronization point, because another statement failed before it when they shared one.
    var isSeparate = false
    var completion: Completion
}

extension Operation {
    static let maximumRepeats = 3

    /// A procedure may commit by itself before it responds.
    var isCall: Bool {
        let text = statement.text.utf8.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
        return ["call", "do"].contains { word in
            text.count > word.utf8.count && zip(text, word.utf8).allSatisfy { $0 | 0x20 == $1 }
        }
    }
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

/// An operation that has been sent. Used only on its event loop.
final class InFlight {
    var operation: Operation
    let sent: UInt64
    /// Whether a synchronization point follows it, before the next operation.
    var isLastOfGroup = true
    /// The server has ignored it, because an earlier one of its group failed.
    var wasIgnored = false
    /// The number of results still to be dropped.
    var controls: Int
    /// The prepared statements that it runs, after the controls; nil for one that describes its rows itself.
    var first: PreparedStatement?
    var others: [PreparedStatement?] = []
    /// Statements prepared with this operation; the first `prepared` of them are confirmed.
    var fresh: [(statement: SQL, prepared: PreparedStatement)] = []
    var prepared = 0
    /// Statements that make room for those.
    var evicted: [StatementName] = []
    /// The greatest serial of this operation's statements.
    var serial = 0
    var results: [QueryResult] = []
    var failure: PostgresError?
    var isStale = false
    /// It is known to write, and was not sent on this connection.
    var writes = false

    /// The statement whose result comes next.
    var running: PreparedStatement? {
        if controls > 0 { return nil }
        if results.isEmpty { return first }
        return results.count <= others.count ? others[results.count - 1] : nil
    }

    init(_ operation: Operation, sent: UInt64) {
        self.operation = operation
        self.sent = sent
        controls = operation.controls.count
    }

    /// The estimated start of its commit. A statement that commits by itself does so after its work, which the
    /// server's `statement_timeout` limits to `limit`.
    func commitsSince(_ limit: UInt64) -> UInt64 { operation.isCommit ? sent : sent + limit }

    var isAbandoned: Bool {
        if case .ignored = operation.completion { true } else { false }
    }
}
