import ClubProtocol
import HTTPTypes
import Synchronization

/// Those whose requests wait for something outside: news, the rest of an upload, a client that reads. They have given back
/// their place among those that are worked on; here they are counted, so that they are bounded, too.
final class WaitingRoom: Sendable {
    private struct State {
        var count = 0
        var callers: [String: Int] = [:]
    }

    /// In seconds: what waits does so for a while, and whoever has all of its seats need not ask each second for another one.
    private static let retryAfter: HTTPFields = [.retryAfter: "10"]

    private let seats: Int
    private let share: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - seats: of all together.
    ///   - share: of one caller.
    init(seats: Int, share: Int) {
        self.seats = seats
        self.share = share
    }

    var count: Int { state.withLock { $0.count } }

    /// Takes a seat; to be followed by one ``leave(_:)``.
    ///
    /// - Throws: 429 when the caller has all of its seats taken, 503 when nobody has one left.
    func enter(_ caller: String) throws(Problem) {
        let problem = state.withLock { state -> Problem? in
            let own = state.callers[caller, default: 0]
            guard own < share else {
                return Problem(
                    .tooManyRequests, "You have \(share) requests that wait, stream or upload: let one of them end.",
                    headers: Self.retryAfter)
            }
            guard state.count < seats else { return ProblemMapping.overloaded }
            state.callers[caller] = own + 1
            state.count += 1
            return nil
        }
        if let problem { throw problem }
    }

    func leave(_ caller: String) {
        state.withLock { state in
            let own = state.callers[caller, default: 0] - 1
            state.callers[caller] = own > 0 ? own : nil
            state.count -= 1
        }
    }
}
