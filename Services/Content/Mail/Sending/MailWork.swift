import ClubProtocol
import ServiceKit
import Synchronization

/// The connections that this process has open, and for what.
final class MailWork: Sendable {
    enum Kind {
        /// Letters, or deliveries if no letter waits.
        case any
        /// One of the connections that are kept free for letters.
        case letters
    }

    private struct State {
        var open = 0
        /// Of those that the server does not answer, which hold up no other.
        var stalled = 0
        var isLost = false
        /// How often in a row the mail server could not be reached, and until when nothing is tried.
        var failures = 0
        var quietUntil = ContinuousClock.now
    }

    /// Raised when there may be something to do.
    let signal = Signal()
    private let state = Mutex(State())

    /// Whether the sender counts as lost.
    var isLost: Bool { state.withLock { $0.isLost } }

    /// Whether connections are open that the server answers.
    var isBusy: Bool { state.withLock { $0.open > 0 } }

    func begin() { state.withLock { $0.isLost = false } }

    func lose() {
        state.withLock { $0.isLost = true }
        signal.raise()
    }

    /// How long nothing is tried, as the mail server could not be reached.
    var backOff: Duration { state.withLock { max(.zero, ContinuousClock.now.duration(to: $0.quietUntil)) } }

    /// Reserves one more connection for a lane: so it grows by what it can use, and none takes all at once.
    ///
    /// - Parameter most: how many this process may have. The last eighth is for letters.
    /// - Returns: nil if there is none left.
    func reserve(of most: Int) -> Kind? {
        state.withLock { state in
            guard state.quietUntil <= .now, state.open < most else { return nil }
            let kind = state.open < max(1, most - (most + 7) / 8) ? Kind.any : .letters
            state.open += 1
            return kind
        }
    }

    /// A connection has ended.
    func release() { state.withLock { $0.open -= 1 } }

    /// A connection that the server does not answer no longer counts, if there are not too many.
    ///
    /// - Returns: whether it does not count: then ``resume()`` follows.
    func stall(of most: Int) -> Bool {
        let isFree = state.withLock { state in
            guard state.stalled < most else { return false }
            state.open -= 1
            state.stalled += 1
            return true
        }
        if isFree { signal.raise() }
        return isFree
    }

    /// A connection that did not count does so again.
    func resume() {
        state.withLock { state in
            state.open += 1
            state.stalled -= 1
        }
    }

    /// Whether the mail server could not be reached the last time.
    var isCutOff: Bool { state.withLock { $0.failures > 0 } }

    /// The mail server could be reached.
    func succeed() { state.withLock { $0.failures = 0 } }

    /// The mail server could not be reached.
    func fail(_ backOff: BackOff) {
        state.withLock { state in
            guard state.quietUntil <= .now else { return }
            state.failures += 1
            state.quietUntil = .now.advanced(by: backOff.delay(after: state.failures))
        }
    }
}
