import ClubProtocol
import HTTPTypes
import Synchronization

/// How many exports are written at the same time: a limited number in all, and one for each caller. A slow connection
/// reads a table slowly, and no caller may make others wait for long with several of them.
final class ExportGate: Sendable {
    static let refusal = Problem(
        .tooManyRequests, "Other exports are being written. Try again when they have ended.",
        headers: [.retryAfter: "10"])

    private let places: Int
    private let running = Mutex<Set<[UInt8]>>([])

    init(places: Int) {
        self.places = places
    }

    /// Runs `body` if there is a place.
    ///
    /// - Throws: 429 when there is none; errors of `body`.
    func pass<T: Sendable>(_ caller: String, _ body: () async throws -> T) async throws -> T {
        let caller = Array(caller.utf8)
        let isIn = running.withLock { running in
            running.count < places && running.insert(caller).inserted
        }
        guard isIn else { throw Self.refusal }
        defer { _ = running.withLock { $0.remove(caller) } }
        return try await body()
    }
}
