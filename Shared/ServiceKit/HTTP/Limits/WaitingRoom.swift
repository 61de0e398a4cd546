import ClubProtocol
import HTTPTypes
import Synchronization

/// The requests that wait for something outside: changes, the rest of an upload, a client that reads. They have
/// released their place among the requests in progress; they are counted here, so that their number is limited too.
final class WaitingRoom: Sendable {
    private struct State {
        var count = 0
        var callers: [String: Int] = [:]
    }

    /// In seconds: waiting requests take a while, so a caller with all its seats taken need not retry every second.
    private static let retryAfter: HTTPFields = [.retryAfter: "10"]

    private let seats: Int
    private let share: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - seats: of all callers together.
    ///   - share: of one caller.
    init(seats: Int, share: Int) {
        self.seats = seats
        self.share = share
    }

    var count: Int { state.withLock { $0.count } }

    /// Takes a seat; must be followed by one ``leave(_:)``.
    ///
    /// - Throws: 429 when the caller has used up its own seats, 503 when none is left at all.
    func enter(_ caller: String) throws(Problem) {
        let problem = state.withLock { state -> Problem? in
            let own = state.callers[caller, default: 0]
            guard own < share else {
                return Problem(
                    .tooManyRequests, "You have \(share) requests that wait, stream or upload: wait until one ends.",
                    headers: Self.retryAfter)
            }
            guard state.count < seats else { return .overloaded }
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
