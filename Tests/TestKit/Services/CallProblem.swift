package import ClubProtocol
import ServiceKit

/// The problem that a call throws; nil if it succeeds.
package func problem<T>(_ call: () async throws -> T) async throws -> ProblemDocument? {
    do {
        _ = try await call()
        return nil
    } catch ServiceClientError.problem(let document) {
        return document
    }
}
