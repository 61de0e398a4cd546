package import ClubProtocol
import Foundation

/// A response as received.
package struct RawAnswer: Sendable {
    package let status: Int
    /// By lower-case name; repeated fields are joined by a comma.
    package let headers: [String: String]
    package let body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON of any shape.
    package func json() throws -> JSONValue { try decode(JSONValue.self) }

    package func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: Data(body))
    }

    /// The problem in the body.
    package func problem() throws -> ProblemDocument { try decode(ProblemDocument.self) }
}
