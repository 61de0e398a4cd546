package import ClubProtocol
import HTTPTypes
import Metrics
import Synchronization

/// Checks that a token's claims about its bearer still hold: a signature only shows what was true when it was made.
///
/// Applies to representatives, ambassadors and experts, on every operation of every service; staff and services are
/// known by their keys alone. Results are remembered for a while, so that the token of a person who leaves, is merged
/// or erased stops working within `freshness`. While no result can be had, a caller who was known remains so for
/// `tolerance`.
package final class CallerCheck: Sendable {
    /// What is checked: the token's claims.
    package typealias Claim = CheckCaller.Query
    package typealias LookUp = @Sendable (Claim) async throws -> Bool

    private struct Known: Sendable {
        var isKnown: Bool
        var asked: ContinuousClock.Instant
    }

    /// A "no" is checked again sooner, so that a person who was just entered need not wait.
    private static let patience = Duration.seconds(2)

    private let lookUp: LookUp
    private let freshness: Duration
    private let tolerance: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let known: Mutex<BoundedCache<Claim, Known>>

    /// - Parameters:
    ///   - freshness: how long a result is valid.
    ///   - tolerance: how long a "yes" remains valid while no new result can be had.
    ///   - capacity: how many callers are remembered.
    ///   - now: the clock, for tests.
    package init(
        freshness: Duration, tolerance: Duration, capacity: Int = 10_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, lookUp: @escaping LookUp
    ) {
        self.lookUp = lookUp
        self.freshness = freshness
        self.tolerance = tolerance
        self.now = now
        known = Mutex(BoundedCache(capacity: capacity))
    }

    /// For the service that holds the records: one indexed query.
    package static func own(_ lookUp: @escaping LookUp) -> CallerCheck {
        CallerCheck(freshness: .seconds(5), tolerance: .zero, lookUp: lookUp)
    }

    /// Whether the caller has a record to check: asked before anything waits.
    static func concerns(_ principal: Principal) -> Bool { claim(of: principal) != nil }

    /// - Throws: 401 `Problem.invalidToken` for a caller that is no longer known; the error of the lookup if there is
    ///   no earlier result to fall back on.
    func require(_ principal: Principal) async throws {
        guard let claim = Self.claim(of: principal) else { return }
        let time = now()
        let last = known.withLock { $0.value(of: claim) }
        if let last, time < last.asked + (last.isKnown ? freshness : min(freshness, Self.patience)) {
            return try Self.require(last.isKnown)
        }
        let answer: Bool
        do {
            answer = try await lookUp(claim)
        } catch {
            if let last, last.isKnown, !(error is CancellationError), time < last.asked + freshness + tolerance {
                return
            }
            throw error
        }
        known.withLock { $0.set(Known(isKnown: answer, asked: time), for: claim) }
        try Self.require(answer)
    }

    /// How many callers are remembered now.
    var remembered: Int { known.withLock { $0.count } }

    private static func require(_ isKnown: Bool) throws(Problem) {
        guard !isKnown else { return }
        Counter(label: "identity_tokens_refused_total", dimensions: [("reason", "unknownCaller")]).increment()
        throw .invalidToken
    }

    /// Nil for callers without a record.
    private static func claim(of principal: Principal) -> Claim? {
        guard !principal.isAnonymous else { return nil }
        switch principal.role {
        case .representative, .ambassador, .expert:
            return Claim(role: principal.role, organization: principal.organization, person: principal.person)
        case .operator, .editor, .lobbyist, .auditor, .service: return nil
        }
    }
}
