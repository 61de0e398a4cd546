import ClubProtocol
import HTTPTypes
import Logging
import NIOCore
import Postgres
import Synchronization

/// One admitted request: routed, authenticated, authorized; its body is still to come.
final class RoutedRequest: Sendable {
    let pipeline: Pipeline
    let route: Route
    let head: RequestHead
    let requestID: String
    let values: [String]
    let query: Substring?
    let principal: Principal
    let deadline: ContinuousClock.Instant?
    let bodyRule: BodyRule
    let arrived: NIODeadline
    /// Whether it occupies a place among the requests in progress.
    private let isInside = Atomic<Bool>(false)

    init(
        pipeline: Pipeline, route: Route, head: RequestHead, requestID: String, values: [String], query: Substring?,
        principal: Principal, deadline: ContinuousClock.Instant?, bodyRule: BodyRule, arrived: NIODeadline
    ) {
        self.pipeline = pipeline
        self.route = route
        self.head = head
        self.requestID = requestID
        self.values = values
        self.query = query
        self.principal = principal
        self.deadline = deadline
        self.bodyRule = bodyRule
        self.arrived = arrived
    }

    /// Whether the work is only for the caller, and pointless once the caller has gone.
    var endsWithCaller: Bool { route.isRead || route.input == .upload }

    /// The key for counting waiting requests: the token's subject, or the address of a caller without a token. The
    /// prefixes keep apart a `sub` that looks like an address.
    var caller: String {
        principal.isAnonymous ? "address \(head.client.bucket)" : "subject \(principal.subject)"
    }

    /// Does something that may take long because of an outside party, with a seat in the waiting room.
    ///
    /// - Throws: 429 and 503 when there is no seat; errors of `body`.
    func seated<Value>(_ body: () async throws -> Value) async throws -> Value {
        let caller = self.caller
        try pipeline.waiting.enter(caller)
        defer { pipeline.waiting.leave(caller) }
        return try await body()
    }

    /// Waits for something outside, and lets another request use the place meanwhile. Requires a seat.
    func outside<Value>(_ wait: () async throws -> Value) async rethrows -> Value {
        guard isInside.exchange(false, ordering: .relaxed) else { return try await wait() }
        pipeline.admission.leave()
        do {
            let value = try await wait()
            await comeBack()
            return value
        } catch {
            await comeBack()
            throw error
        }
    }

    /// Takes a place, waiting for one for a limited time.
    func comeIn() async -> Bool {
        guard await pipeline.admission.enter() else { return false }
        isInside.store(true, ordering: .relaxed)
        return true
    }

    /// Releases the place at the end of the work.
    func goOut() {
        if isInside.exchange(false, ordering: .relaxed) { pipeline.admission.leave() }
    }

    private func comeBack() async {
        await pipeline.admission.comeBack()
        isInside.store(true, ordering: .relaxed)
    }

    /// One transaction, with the idempotency protocol inside.
    ///
    /// - Parameter looksBefore: whether a stored response is looked up before `prepare`, so that a replay does not need
    ///   what the first request needed.
    func transact<Prepared: Sendable>(
        _ input: BodyInput, looksBefore: Bool = false, prepare: @Sendable () async throws -> Prepared,
        _ body: @Sendable (Prepared, PostgresTransaction) async throws -> RawResponse
    ) async throws -> RawResponse {
        var claim: IdempotencyClaim?
        if head.method == .post, let key = try head.validIdempotencyKey() {
            claim = IdempotencyClaim(
                by: principal, at: head.client, operation: route.name, key: key, target: head.target, body: input.bytes,
                under: pipeline.answerKey)
        }
        if looksBefore, let claim, let stored = try await claim.stored(on: pipeline.database, for: requestID) {
            return stored
        }
        if let claim, pipeline.database.oldestCommit ?? .zero > Self.longCommit {
            // All connections may be waiting for commits, including the one of this key.
            if try await claim.isRunning(on: pipeline.database) {
                throw Problem(.stillRunning, headers: [.retryAfter: "1"])
            }
        }
        let prepared = try await prepare()
        return try await pipeline.database.transaction { [claim] transaction in
            if let claim, let stored = try await claim.claim(in: transaction, for: self.requestID) { return stored }
            let answer = try await body(prepared, transaction)
            if let claim { try claim.store(answer, in: transaction) }
            return answer
        }
    }

    /// A commit that takes longer than this waits for more than its own disk.
    private static let longCommit = Duration.milliseconds(250)
}
