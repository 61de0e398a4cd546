extension PostgresConfiguration {
    /// The URL, or the environment's defaults for it, cannot be used. No value is quoted, because it may be or contain
    /// a password.
    package struct InvalidURL: Error, Equatable, CustomStringConvertible {
        enum Reason: Equatable {
            case malformed
            /// libpq does not know a keyword. It is not named: it may be a part of an unquoted password.
            case unknownKeyword
            /// libpq knows it, but this client does not support it.
            case unsupported(String)
            case wrongValue(of: String)
            case missing(String)
        }

        let reason: Reason

        init(_ reason: Reason) {
            self.reason = reason
        }

        package var description: String {
            switch reason {
            case .malformed: "not a libpq connection URL"
            case .unknownKeyword: "not a libpq connection URL: it has an unknown keyword"
            case .unsupported(let name): "not usable: \(name) is not supported"
            case .wrongValue(let name): "not usable: the value of \(name) is invalid or not supported"
            case .missing(let name): "not usable: \(name) is missing"
            }
        }
    }
}
