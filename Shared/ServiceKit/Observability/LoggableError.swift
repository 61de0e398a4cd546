import ClubProtocol
import NIOCore
import Postgres

/// An error whose description contains no values, so that it may be logged and stored.
package protocol LoggableError: Error, CustomStringConvertible {}

extension PostgresError: LoggableError {}

extension Error {
    /// What may be logged and stored about an error: errors without values as they are, of others only the type and
    /// where in a document they are.
    package var loggable: String {
        switch self {
        case let error as any LoggableError: error.description
        case let problem as Problem: problem.type.slug
        case let error as ChannelError: "\(error)"
        case let error as EncodingError: "EncodingError: \(Self.path(of: error))"
        case let error as DecodingError: "DecodingError: \(Self.path(of: error))"
        case is CancellationError: "interrupted"
        default: "\(type(of: self))"
        }
    }

    private static func path(of error: EncodingError) -> String {
        if case .invalidValue(_, let context) = error { text(context.codingPath) } else { "" }
    }

    private static func path(of error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            text(context.codingPath)
        @unknown default: ""
        }
    }

    private static func text(_ path: [any CodingKey]) -> String {
        "/" + path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}
