import ClubProtocol
import HTTPTypes

extension CallerCheck {
    /// For the other services, which ask the directory.
    static func asking(_ directory: ServiceClient) -> CallerCheck {
        CallerCheck(freshness: .seconds(30), tolerance: .seconds(300)) { claim in
            do {
                return try await directory.send(CheckCaller.request(query: claim)).isKnown
            } catch is ServiceClientError {
                // Whatever the error, the caller may retry.
                throw Problem(
                    .unavailable, "The directory service does not answer.", headers: [.retryAfter: "1"])
            }
        }
    }
}
