import ClubProtocol
import HTTPTypes
import Logging

/// Determines who sends a request, whether they may call the operation, and whether they have sent too many.
struct Authentication: Sendable {
    private let verifier: TokenVerifier
    private let logger: Logger
    private let principalLimiter: RateLimiter
    private let anonymousLimiter: RateLimiter
    private let failedTokenLimiter: RateLimiter

    init(verifier: TokenVerifier, limits: HTTPLimits, logger: Logger) {
        self.verifier = verifier
        self.logger = logger
        principalLimiter = RateLimiter(limits.principalRate)
        anonymousLimiter = RateLimiter(limits.anonymousRate)
        failedTokenLimiter = RateLimiter(limits.failedTokenRate)
    }

    /// - Parameters:
    ///   - isUncounted: whether the request does not count for the rate of callers without a token.
    ///   - last: the last good token of the connection.
    /// - Throws: 401 for a missing or bad token, 403 for a role that may not call the operation, 429 for too many
    ///   requests.
    func principal(
        of head: RequestHead, for route: Route, isUncounted: Bool, last: inout VerifiedToken?
    ) throws(Problem) -> Principal {
        let principal: Principal
        if head.authorization == nil, case .anyone = route.operation.access {
            principal = .anonymous
        } else {
            do throws(Problem) {
                principal = try verifier.verify(authorization: head.authorization, last: &last)
            } catch {
                if head.authorization != nil, let seconds = failedTokenLimiter.take(head.client.bucket) {
                    throw Problem(.tooManyRequests, headers: [.retryAfter: String(seconds)])
                }
                throw error
            }
        }
        guard route.operation.access.allows(principal.role) else {
            logger.info(
                "refused by role",
                metadata: [
                    "operation": .string(route.name), "subject": .string(principal.actor),
                    "role": .string(principal.role.rawValue),
                ])
            throw Problem(.forbidden)
        }
        switch principal.role {
        case .operator, .service: break
        case _ where principal.isAnonymous && isUncounted: break
        default:
            // Callers without a token share the bucket of their address.
            let wait =
                principal.isAnonymous
                ? anonymousLimiter.take(head.client.bucket) : principalLimiter.take(principal.subject)
            if let seconds = wait {
                throw Problem(.tooManyRequests, headers: [.retryAfter: String(seconds)])
            }
        }
        return principal
    }
}
