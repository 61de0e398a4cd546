extension PostgresError {
    /// The error that the server reported, described by its SQLSTATE.
    ///
    /// The server's own message is included only if it is about the statement's text and objects (if it has a
    /// position in the text, or is about a missing privilege); otherwise it may quote values.
    static func server(_ fields: ErrorFields) -> PostgresError {
        let state = fields.sqlState
        var message = SQLState.name(of: state) ?? "SQLSTATE \(state)"
        if state == SQLState.insufficientPrivilege {
            if !fields.message.isEmpty { message = fields.message }
        } else if let position = fields.position {
            message += " at character \(position)"
            if state.hasPrefix("42"), state != SQLState.syntaxError, !fields.message.isEmpty {
                message += ": \(fields.message)"
            }
        }
        let kind: Kind
        switch state {
        case SQLState.queryCanceled: kind = .timeout
        case SQLState.adminShutdown, SQLState.crashShutdown, SQLState.cannotConnectNow: kind = .connection
        default: kind = .server
        }
        return PostgresError(
            kind, sqlState: state, constraint: fields.constraint, table: fields.table, column: fields.column,
            message: message)
    }

    /// The prepared statement no longer exists (`deallocate`, `discard`), or a table that it uses has changed.
    static func isStaleStatement(_ fields: ErrorFields) -> Bool {
        switch fields.sqlState {
        case SQLState.invalidStatementName: true
        case SQLState.featureNotSupported: fields.function == "RevalidateCachedQuery"
        default: false
        }
    }
}
