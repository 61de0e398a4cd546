/// The error codes that callers handle by name (PostgreSQL documentation, appendix A).
package enum SQLState {
    package static let uniqueViolation = "23505"
    package static let foreignKeyViolation = "23503"
    package static let checkViolation = "23514"
    package static let notNullViolation = "23502"
    package static let exclusionViolation = "23P01"
    package static let restrictViolation = "23001"
    package static let serializationFailure = "40001"
    package static let deadlockDetected = "40P01"
    package static let insufficientPrivilege = "42501"
    package static let undefinedTable = "42P01"
    package static let undefinedColumn = "42703"
    package static let undefinedFunction = "42883"
    package static let syntaxError = "42601"
    package static let queryCanceled = "57014"
    package static let adminShutdown = "57P01"
    package static let crashShutdown = "57P02"
    package static let cannotConnectNow = "57P03"
    package static let lockNotAvailable = "55P03"
    package static let tooManyConnections = "53300"
    package static let diskFull = "53100"
    package static let invalidStatementName = "26000"
    package static let featureNotSupported = "0A000"
    package static let invalidTextRepresentation = "22P02"
    package static let characterNotInRepertoire = "22021"
    package static let stringDataRightTruncation = "22001"
    package static let numericValueOutOfRange = "22003"
    package static let datetimeFieldOverflow = "22008"
    package static let programLimitExceeded = "54000"
    package static let raiseException = "P0001"
    package static let readOnlyTransaction = "25006"
    package static let failedTransaction = "25P02"

    /// Whether a value was the cause: a data exception (class 22), or a value too large for its use (54000, such as
    /// an index entry or a word of a query). Sending it again would fail again.
    package static func blamesValue(_ code: String) -> Bool {
        code.utf8.starts(with: "22".utf8) || code == programLimitExceeded
    }

    /// The condition's name from the documentation; nil if it is not listed here.
    static func name(of code: String) -> String? {
        switch code {
        case uniqueViolation: "unique_violation"
        case foreignKeyViolation: "foreign_key_violation"
        case checkViolation: "check_violation"
        case notNullViolation: "not_null_violation"
        case exclusionViolation: "exclusion_violation"
        case restrictViolation: "restrict_violation"
        case serializationFailure: "serialization_failure"
        case deadlockDetected: "deadlock_detected"
        case insufficientPrivilege: "insufficient_privilege"
        case undefinedTable: "undefined_table"
        case undefinedColumn: "undefined_column"
        case undefinedFunction: "undefined_function"
        case syntaxError: "syntax_error"
        case queryCanceled: "query_canceled"
        case adminShutdown: "admin_shutdown"
        case crashShutdown: "crash_shutdown"
        case cannotConnectNow: "cannot_connect_now"
        case lockNotAvailable: "lock_not_available"
        case tooManyConnections: "too_many_connections"
        case diskFull: "disk_full"
        case invalidStatementName: "invalid_sql_statement_name"
        case featureNotSupported: "feature_not_supported"
        case invalidTextRepresentation: "invalid_text_representation"
        case characterNotInRepertoire: "character_not_in_repertoire"
        case stringDataRightTruncation: "string_data_right_truncation"
        case numericValueOutOfRange: "numeric_value_out_of_range"
        case datetimeFieldOverflow: "datetime_field_overflow"
        case programLimitExceeded: "program_limit_exceeded"
        case raiseException: "raise_exception"
        case readOnlyTransaction: "read_only_sql_transaction"
        case failedTransaction: "in_failed_sql_transaction"
        default: nil
        }
    }
}
