import AsyncHTTPClient
import ClubProtocol
import NIOCore
import NIOHTTP1
import NIOPosix

/// How an attempt ended that did not get a response below 400.
private enum FailedAttempt: Error {
    /// No response, or one that means "not now", perhaps with how long to wait.
    case unavailable(reason: String, retryAfter: Duration?)
    /// An earlier attempt of the same request is still running.
    case stillRunning(ProblemDocument)
    case final(ServiceClientError)

    /// The peer is up, and asks us to try again.
    var invites: Bool {
        switch self {
        case .unavailable(_, let retryAfter): retryAfter != nil
        case .stillRunning: true
        case .final: false
        }
    }
}

extension ServiceClient {
    /// Sends a call, retries it where that is allowed, and reads the whole response.
    func perform(_ call: OutgoingCall, until deadline: ContinuousClock.Instant) async throws -> WholeAnswer {
        let place = try gate.enter()
        defer { withExtendedLifetime(place) {} }
        return try await repeating(call, until: deadline) { request in
            try await withDeadline(deadline) {
                let response = try await execute(request, until: deadline)
                let body = try await response.body.collect(upTo: policy.maximumAnswerBytes)
                return WholeAnswer(status: Int(response.status.code), headers: response.headers, body: body)
            }
        } verdict: { answer in
            Self.verdict(answer.status, answer.headers, answer.body, of: name)
        }
    }

    /// Sends a call, retries it where that is allowed, until the head of a response arrives. The caller reads the body,
    /// and holds the place of the call until then.
    func open(_ call: OutgoingCall, until deadline: ContinuousClock.Instant) async throws -> HTTPClientResponse {
        typealias Opened = (response: HTTPClientResponse, problem: ByteBuffer?)
        let opened: Opened = try await repeating(call, until: deadline) { request in
            try await withDeadline(deadline) {
                let response = try await execute(request, until: deadline)
                guard response.status.code >= 300 else { return (response, nil) }
                return (response, try await response.body.collect(upTo: policy.maximumAnswerBytes))
            }
        } verdict: { opened in
            Self.verdict(Int(opened.response.status.code), opened.response.headers, opened.problem, of: name)
        }
        return opened.response
    }

    /// Sends a request and waits for the head of its response, and measures both.
    private func execute(
        _ request: HTTPClientRequest, until deadline: ContinuousClock.Instant
    ) async throws -> HTTPClientResponse {
        let start = ContinuousClock.now
        do {
            let response = try await http.execute(request, deadline: .distantFuture)
            gate.sent(
                request.method.rawValue, ("http_response_status_code", String(response.status.code)), since: start)
            return response
        } catch {
            let isCancelled = Task.isCancelled || error is CancellationError
            let reason = ContinuousClock.now >= deadline ? "timeout" : isCancelled ? "cancelled" : "connection"
            gate.sent(request.method.rawValue, ("error_type", reason), since: start)
            throw error
        }
    }

    private func repeating<Response: Sendable>(
        _ call: OutgoingCall, until deadline: ContinuousClock.Instant,
        send: (HTTPClientRequest) async throws -> Response, verdict: (Response) -> FailedAttempt?
    ) async throws -> Response {
        var attempt = 0
        let insistence = ContinuousClock.now + policy.insistence
        while true {
            do {
                return try await once(call, until: deadline, retry: attempt > 0, send: send, verdict: verdict)
            } catch let failure as FailedAttempt {
                attempt += 1
                let wait = Self.wait(before: attempt, after: failure)
                let mayInsist = failure.invites && ContinuousClock.now < insistence
                guard call.isRepeatable, attempt <= policy.maximumRetries || mayInsist, let wait,
                    deadline - .now > wait, gate.mayRetry()
                else { throw error(failure) }
                try await Task.sleep(for: wait)
            }
        }
    }

    /// One attempt, reported to the circuit breaker.
    private func once<Response: Sendable>(
        _ call: OutgoingCall, until deadline: ContinuousClock.Instant, retry: Bool,
        send: (HTTPClientRequest) async throws -> Response, verdict: (Response) -> FailedAttempt?
    ) async throws -> Response {
        let request = try call.request(for: self, until: deadline)
        let admission = try gate.admit(retry: retry)
        let start = ContinuousClock.now
        let answer: Response
        do {
            answer = try await send(request)
        } catch {
            if Task.isCancelled || error is CancellationError {
                gate.report(.unknown, of: admission)
                throw CancellationError()
            }
            let failure = Self.failure(error, of: name)
            if case .final(.deadline) = failure {
                let isTheirs = ContinuousClock.now - start >= policy.patience
                gate.report(isTheirs ? .failure : .unknown, of: admission, reason: "did not answer in time")
            } else if case .unavailable(let reason, _) = failure {
                gate.report(.failure, of: admission, reason: reason)
            } else {
                gate.report(.success, of: admission)
            }
            throw failure
        }
        let failure = verdict(answer)
        if case .unavailable(let reason, _) = failure {
            gate.report(.failure, of: admission, reason: reason)
        } else {
            gate.report(.success, of: admission)
        }
        if let failure { throw failure }
        return answer
    }

    private func error(_ failure: FailedAttempt) -> ServiceClientError {
        switch failure {
        case .unavailable(let reason, _): .unavailable(name, reason: reason)
        case .stillRunning(let document): .problem(document)
        case .final(let error): error
        }
    }

    /// How long to wait before an attempt: 25 ms, doubled each time up to 1.6 s, with jitter; longer if the peer asked
    /// for it (`Retry-After`: RFC 9110, 10.2.3). Nil if a retry cannot help.
    private static func wait(before attempt: Int, after failure: FailedAttempt) -> Duration? {
        let step = Int64(25_000) << Int64(min(attempt - 1, 6))
        let jittered = Duration.microseconds(Int64.random(in: step / 2...step))
        switch failure {
        case .unavailable(_, let asked): return asked.map { $0 + jittered } ?? jittered
        case .stillRunning: return jittered
        case .final: return nil
        }
    }

    /// What is wrong with a response; nil if nothing is.
    private static func verdict(
        _ status: Int, _ headers: HTTPHeaders, _ body: ByteBuffer?, of name: ServiceName
    ) -> FailedAttempt? {
        switch status {
        case 200..<300: return nil
        case ..<400: return .final(.malformed(name))
        case 502, 503:
            let seconds = headers.first(name: "Retry-After").flatMap(Int64.init)
            return .unavailable(
                reason: "answered \(status)", retryAfter: seconds.map { .seconds(min(max($0, 0), 3600)) })
        case 504: return .final(.deadline(name))
        default:
            guard let body, let document = try? LenientJSON.decode(ProblemDocument.self, from: body.readableBytesView)
            else { return .final(.malformed(name)) }
            return document.slug == ProblemType.stillRunning.slug ? .stillRunning(document) : .final(.problem(document))
        }
    }

    /// Errors of a failed connection to an address; one to a name fails with `NIOConnectionError`.
    private static let unreachable: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT]

    /// What an error of the HTTP client means. Its own text may contain addresses, and is left out.
    private static func failure(_ error: any Error, of name: ServiceName) -> FailedAttempt {
        switch error {
        case is DeadlinePassed: return .final(.deadline(name))
        case let error as ServiceClientError: return .final(error)
        case is NIOTooManyBytesError: return .final(.malformed(name))
        case is NIOConnectionError: return .unavailable(reason: "no connection", retryAfter: nil)
        case let error as IOError where unreachable.contains(error.errnoCode):
            return .unavailable(reason: "no connection", retryAfter: nil)
        case is IOError, is ChannelError: return .unavailable(reason: "connection lost", retryAfter: nil)
        case is HTTPParserError: return .unavailable(reason: "no HTTP answer", retryAfter: nil)
        case let error as HTTPClientError:
            switch error {
            case .deadlineExceeded, .readTimeout, .writeTimeout: return .final(.deadline(name))
            case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
                return .unavailable(reason: "no connection", retryAfter: nil)
            case .invalidURL, .emptyHost, .emptyScheme:
                return .final(.unavailable(name, reason: "its address is not a URL"))
            default: return .unavailable(reason: "connection lost", retryAfter: nil)
            }
        default: return .unavailable(reason: "no answer", retryAfter: nil)
        }
    }
}
