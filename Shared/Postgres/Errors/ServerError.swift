import CLibpq

extension PostgresError {
    /// The error of a result, described by its SQLSTATE.
    ///
    /// The server's own message is included only if it is about the statement's text and objects (if it has a
    /// position in the text, or is about a missing privilege); otherwise it may quote values.
    static func server(_ result: OpaquePointer) -> PostgresError {
        func field(_ code: Int32) -> String? {
            guard let text = unsafe PQresultErrorField(result, code) else { return nil }
            return unsafe String(cString: text)
        }
        guard let state = field(DiagnosticField.sqlState) else {
            return PostgresError(.connection, message: "the connection was lost")
        }
        var message = SQLState.name(of: state) ?? "SQLSTATE \(state)"
        if state == SQLState.insufficientPrivilege {
            message = field(DiagnosticField.primaryMessage) ?? message
        } else if let position = field(DiagnosticField.statementPosition) {
            message += " at character \(position)"
            if state.hasPrefix("42"), state != SQLState.syntaxError,
                let primary = field(DiagnosticField.primaryMessage)
            {
                message += ": \(primary)"
            }
        }
        let kind: Kind
        switch state {
        case SQLState.queryCanceled: kind = .timeout
        case SQLState.adminShutdown, SQLState.crashShutdown, SQLState.cannotConnectNow: kind = .connection
        default: kind = .server
        }
        return PostgresError(
            kind, sqlState: state, constraint: field(DiagnosticField.constraint), table: field(DiagnosticField.table),
            column: field(DiagnosticField.column), message: message)
    }

    /// The prepared statement no longer exists (`deallocate`, `discard`), or a table that it uses has changed.
    static func isStaleStatement(_ error: PostgresError, _ result: OpaquePointer) -> Bool {
        switch error.sqlState {
        case SQLState.invalidStatementName: return true
        case SQLState.featureNotSupported:
            guard let function = unsafe PQresultErrorField(result, DiagnosticField.sourceFunction) else { return false }
            return unsafe String(cString: function) == "RevalidateCachedQuery"
        default: return false
        }
    }
}

/// Error fields (`postgres_ext.h`; the macros are character constants, which Swift does not import).
enum DiagnosticField {
    static let sqlState = Int32(UInt8(ascii: "C"))
    static let primaryMessage = Int32(UInt8(ascii: "M"))
    static let statementPosition = Int32(UInt8(ascii: "P"))
    static let table = Int32(UInt8(ascii: "t"))
    static let column = Int32(UInt8(ascii: "c"))
    static let constraint = Int32(UInt8(ascii: "n"))
    static let sourceFunction = Int32(UInt8(ascii: "R"))
}
