package import ClubProtocol
import ServiceKit

/// The problem with which a call ends; nil when it ends well.
package func problem<T>(_ call: () async throws -> T) async throws -> ProblemDocument? {
    do {
        _ = try await call()
        return nil
    } catch ServiceClientError.problem(let document) {
        return document
    }
}
