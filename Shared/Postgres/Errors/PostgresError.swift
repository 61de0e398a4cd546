/// A database error without any values: it never contains a parameter or the contents of a column, so it is safe to
/// log.
package struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The server refused the statement; see `sqlState`.
        case server
        /// There is no connection, or it was lost; the work in progress had no lasting effect.
        case connection
        /// A commit, or a statement that commits by itself, was sent, and no response came before the deadline or the
        /// loss of the connection. It may have been committed, may still be, or may never be.
        case unknownOutcome
        /// The deadline passed.
        case timeout
        /// The task was cancelled.
        case cancelled
        /// A column does not have the type that the code expects.
        case decoding
        /// No connection became free within the acquire timeout.
        case poolExhausted
    }

    enum Effect: Sendable {
        case unknown
        /// The connection was lost: an open transaction was rolled back, but a commit in progress may have succeeded.
        case undoneUnlessCommitted
        /// It did not run at all.
        case none
    }

    package var kind: Kind
    package var sqlState: String?
    package var constraint: String?
    package var table: String?
    package var column: String?
    package var message: String
    /// The effect of the statement, as far as known.
    var effect = Effect.unknown

    package init(
        _ kind: Kind, sqlState: String? = nil, constraint: String? = nil, table: String? = nil, column: String? = nil,
        message: String
    ) {
        self.kind = kind
        self.sqlState = sqlState
        self.constraint = constraint
        self.table = table
        self.column = column
        self.message = message
    }

    /// The database is not available now, and the same request may work later: HTTP 503.
    package var isUnavailable: Bool {
        switch kind {
        case .connection, .poolExhausted, .unknownOutcome: return true
        case .timeout, .cancelled, .decoding: return false
        case .server:
            guard let sqlState else { return false }
            return sqlState.hasPrefix("08") || sqlState.hasPrefix("53") || sqlState == SQLState.adminShutdown
                || sqlState == SQLState.crashShutdown || sqlState == SQLState.cannotConnectNow
        }
    }

    /// The rows violate a constraint (class 23).
    package var isConstraintViolation: Bool { sqlState?.hasPrefix("23") == true }

    /// The transaction lost a conflict with another, and may succeed if the whole of it is retried.
    package var isSerializationConflict: Bool {
        sqlState == SQLState.serializationFailure || sqlState == SQLState.deadlockDetected
    }

    /// This error, if the failed operation may have committed.
    var withUnknownOutcome: PostgresError {
        PostgresError(.unknownOutcome, sqlState: sqlState, message: "the outcome is unknown: \(message)")
    }

    /// The same error with the column's name.
    func at(column name: String) -> PostgresError {
        var error = self
        error.column = name
        error.message = "column \"\(name)\": \(message)"
        return error
    }

    package var description: String {
        var text = "postgres \(kind)"
        if let sqlState { text += " \(sqlState)" }
        text += ": \(message)"
        if let table { text += " table=\(table)" }
        if let constraint { text += " constraint=\(constraint)" }
        if let column, kind == .server { text += " column=\(column)" }
        return text
    }
}

extension PostgresError {
    static let deadlinePassed = PostgresError(.timeout, message: "the deadline passed")
    static let taskCancelled = PostgresError(.cancelled, message: "the task was cancelled")
    static let shutDown = PostgresError(.connection, message: "the client is shut down")
    static let connectionLost = PostgresError(.connection, message: "the connection was lost")
    /// The connection was lost before the statement was sent.
    static let connectionGone = {
        var error = connectionLost
        error.effect = .none
        return error
    }()
    static let notConnected = PostgresError(.connection, message: "no connection to the server")
    static let noAnswer = PostgresError(.connection, message: "no answer from the server")
    static let connectionClosed = PostgresError(.connection, message: "the connection is closed")
    static let acquireTimeout = PostgresError(.poolExhausted, message: "no connection became available in time")
    static let zeroInParameter = PostgresError(
        .server, sqlState: SQLState.characterNotInRepertoire, message: "U+0000 in a parameter")
    static let tooManyParameters = PostgresError(
        .server, sqlState: "54023", message: "more than 65535 parameters")
}
