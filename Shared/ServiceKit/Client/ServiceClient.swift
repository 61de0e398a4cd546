package import AsyncHTTPClient
package import ClubProtocol
import HTTPTypes
package import NIOCore
import NIOHTTP1
import Postgres

/// Sends the protocol's requests to one service.
///
/// Every call has a time limit, passes on the caller's deadline, trace and request identifier, and is retried only if
/// it is idempotent and the budget allows it. A peer that does not answer is not called for a while.
package struct ServiceClient: Sendable {
    /// On whose behalf calls are made.
    package enum Credentials: Sendable {
        /// As a service, with a separate token for each peer.
        case service(TokenSigner)
        /// With a given token.
        case bearer(String)
        case none
    }

    /// The limits of a client.
    package struct Policy: Sendable {
        /// For a call and its retries, unless the call specifies another.
        package var timeout = Duration.seconds(2)
        /// For a stream or an upload, from beginning to end.
        package var streamTimeout = Duration.seconds(60)
        /// Between two pieces of a stream.
        package var silence = Duration.seconds(20)
        /// A peer that does not answer in less than this does not count as failed: a caller with a deadline of a
        /// millisecond must not open the circuit for all others.
        package var patience = Duration.milliseconds(500)
        var maximumRetries = 2
        /// For how long the client follows a peer's `Retry-After`, however often the peer sends one.
        var insistence = Duration.zero
        /// The retries of all calls together.
        var budget = RetryBudget()
        package var maximumInFlight = 256
        var maximumAnswerBytes = 16 << 20
        var breaker = CircuitBreaker()

        package init() {}

        /// For a program that a person is waiting for, which makes a few calls and exits.
        package static var patient: Policy {
            var policy = Policy()
            policy.timeout = .seconds(30)
            policy.streamTimeout = .seconds(600)
            policy.insistence = .seconds(30)
            policy.budget = RetryBudget(most: 1_000, saved: 1_000)
            policy.breaker = CircuitBreaker(limit: .max)
            return policy
        }
    }

    package let name: ServiceName
    let address: String?
    let credentials: Credentials
    let http: HTTPClient
    let policy: Policy
    let gate: PeerGate

    /// - Parameters:
    ///   - url: scheme, host and port, perhaps a path before `/v1`; nil if the service is not configured: then every
    ///     call fails with ``ServiceClientError/unavailable(_:reason:)``.
    ///   - http: see ``makeHTTP(on:)``.
    package init(
        name: ServiceName, url: String?, credentials: Credentials, http: HTTPClient, policy: Policy = Policy()
    ) {
        self.name = name
        address = url.map { $0.hasByteSuffix("/") ? String($0.dropLast()) : $0 }
        self.credentials = credentials
        self.http = http
        self.policy = policy
        gate = PeerGate(
            name, address: url, maximumInFlight: policy.maximumInFlight, breaker: policy.breaker,
            budget: policy.budget)
    }

    /// An HTTP client configured for these calls: HTTP/1.1, no redirects, no retries of its own. The caller shuts it
    /// down.
    package static func makeHTTP(
        on group: any EventLoopGroup = HTTPClient.defaultEventLoopGroup
    ) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(1)),
            // Shorter than the servers' keep-alive, so that a connection is rarely used while it is being closed.
            connectionPool: .init(idleTimeout: .seconds(30), concurrentHTTP1ConnectionsPerHostSoftLimit: 256))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.tracing.tracer = nil
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// How the peer has been answering.
    package var state: PeerState { gate.peerState }

    /// Sends a request and returns its response.
    ///
    /// - Parameter timeout: replaces the policy's; for a long poll, longer than its wait.
    /// - Throws: ``ServiceClientError``, or `CancellationError`.
    package func send<E: Endpoint>(_ request: Request<E>, timeout: Duration? = nil) async throws -> E.Response {
        try await exchange(request, timeout: timeout).value
    }

    /// Sends a request and returns its response with version and status.
    package func exchange<E: Endpoint>(
        _ request: Request<E>, timeout: Duration? = nil
    ) async throws -> Reply<E.Response> {
        let call = try OutgoingCall(request, to: self)
        let answer = try await counted {
            try await perform(call, until: try deadline(timeout ?? policy.timeout))
        }
        return try reply(answer, to: E.self)
    }

    /// Sends a table as it is read, without holding it in memory.
    ///
    /// - Parameters:
    ///   - media: its media type, if that is not the operation's first.
    ///   - isRepeatable: whether `body` starts again with each iterator, and sending it twice has the same effect as
    ///     sending it once; otherwise it is sent once, because its bytes are then gone.
    package func upload<E: Endpoint, Body: AsyncSequence & Sendable>(
        _ request: Request<E>, body: Body, as media: Operation.Media? = nil, isRepeatable: Bool = false,
        timeout: Duration? = nil
    ) async throws -> E.Response where Body.Element == ByteBuffer {
        var call = try OutgoingCall(request, to: self)
        call.headers.replaceOrAdd(name: "Content-Type", value: (media ?? E.operation.consumes).names[0])
        call.body = .stream(body, length: .unknown)
        call.isRepeatable = isRepeatable
        let upload = call
        let answer = try await counted {
            try await perform(upload, until: try deadline(timeout ?? policy.streamTimeout))
        }
        return try reply(answer, to: E.self).value
    }

    /// When a call that begins now must end: after its own time limit, or at the caller's deadline.
    func deadline(_ timeout: Duration) throws(ServiceClientError) -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        let own = now.advanced(by: timeout)
        let deadline = PostgresDeadline.current.map { min($0, own) } ?? own
        guard deadline > now else { throw .deadline(name) }
        return deadline
    }

    func counted<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
            gate.count(.answered)
            return value
        } catch {
            gate.count(CallOutcome(error))
            throw error
        }
    }

    private func reply<E: Endpoint>(_ answer: WholeAnswer, to endpoint: E.Type) throws -> Reply<E.Response> {
        let value: E.Response
        if let empty = Empty() as? E.Response {
            value = empty
        } else if let text = TextDocument(String(buffer: answer.body)) as? E.Response {
            value = text
        } else if let file = FileDocument(Array(buffer: answer.body)) as? E.Response {
            value = file
        } else {
            do {
                value = try LenientJSON.decode(E.Response.self, from: answer.body.readableBytesView)
            } catch {
                throw ServiceClientError.malformed(name)
            }
        }
        return Reply(
            value: value, version: answer.headers.first(name: "ETag").flatMap(Self.version),
            status: HTTPResponse.Status(code: answer.status),
            replayed: answer.headers.first(name: "Idempotency-Replayed") == "true")
    }

    /// The number in a strong entity tag: `"3"` is 3.
    static func version(_ tag: String) -> Int? {
        let quote = UInt8(ascii: "\"")
        guard tag.utf8.count > 2, tag.utf8.first == quote, tag.utf8.last == quote else { return nil }
        return Int(Substring(tag.utf8.dropFirst().dropLast()))
    }
}
