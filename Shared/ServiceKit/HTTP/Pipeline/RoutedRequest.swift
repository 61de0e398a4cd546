import ClubProtocol
import HTTPTypes
import Logging
import NIOCore
import Postgres
import Synchronization

/// What its route receives of a body.
enum BodyInput: Sendable {
    case bytes([UInt8])
    case upload(UploadBody)

    var bytes: [UInt8] { if case .bytes(let bytes) = self { bytes } else { [] } }
}

/// One admitted request: routed, authenticated, authorized; its body is still to come.
final class RoutedRequest: Sendable {
    /// What happens to the request's body.
    enum BodyRule: Sendable {
        /// The operation has no body: what arrives is read and dropped.
        case ignore
        case collect(limit: Int)
        case stream(limit: Int)
    }

    let responder: Responder
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
        responder: Responder, route: Route, head: RequestHead, requestID: String, values: [String], query: Substring?,
        principal: Principal, deadline: ContinuousClock.Instant?, bodyRule: BodyRule, arrived: NIODeadline
    ) {
        self.responder = responder
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

    /// Decodes the request.
    ///
    /// - Throws: 404 for a path with an invalid value, 400 and 422 for query and body, 428 and 400 for `If-Match`.
    func call<E: Endpoint>(_: E.Type, _ input: BodyInput) throws -> Call<E> {
        let path = try FlatCoding.decodePath(E.Path.self, names: route.variables, values: values)
        let asked: E.Query
        if query == nil, let empty = Empty() as? E.Query {
            asked = empty
        } else {
            asked = try FlatCoding.decodeQuery(E.Query.self, from: query.map(String.init))
        }
        let version = try expectedVersion()
        let key = try idempotencyKey()
        let body: E.Body
        if !route.hasBody, input.bytes.isEmpty, let empty = Empty() as? E.Body {
            body = empty
        } else if route.operation.consumes == .form {
            guard let form = String(validating: input.bytes, as: UTF8.self) else {
                throw Problem(.malformed, "The form is not UTF-8.")
            }
            body = try FlatCoding.decodeQuery(E.Body.self, from: form)
        } else {
            body = try StrictJSON.decode(E.Body.self, from: input.bytes)
        }
        var paging: PageRequest?
        if route.isPaged, let paged = asked as? any PagedQuery {
            let scope = CursorScope(
                responder.cursorCode, path: head.target.utf8.prefix { $0 != UInt8(ascii: "?") }, query: query?.utf8)
            paging = try PageRequest(paged.paging, scope: scope)
        }
        return Call(
            path: path, query: asked, body: body, principal: principal, ifMatch: version, idempotencyKey: key,
            requestID: requestID, deadline: deadline, paging: paging, base: responder.logger, request: self)
    }

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
        try responder.waiting.enter(caller)
        defer { responder.waiting.leave(caller) }
        return try await body()
    }

    /// Waits for something outside, and lets another request use the place meanwhile. Requires a seat.
    func outside<Value>(_ wait: () async throws -> Value) async rethrows -> Value {
        guard isInside.exchange(false, ordering: .relaxed) else { return try await wait() }
        responder.admission.leave()
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
        guard await responder.admission.enter() else { return false }
        isInside.store(true, ordering: .relaxed)
        return true
    }

    /// Releases the place at the end of the work.
    func goOut() {
        if isInside.exchange(false, ordering: .relaxed) { responder.admission.leave() }
    }

    private func comeBack() async {
        await responder.admission.comeBack()
        isInside.store(true, ordering: .relaxed)
    }

    /// The response with everything that the operation declares about it.
    func wire<Value>(_ answer: RouteResponse<Value>, _ operation: Operation) throws -> RawResponse {
        let extra = answer.headers.isEmpty ? route.extra : HTTPFields(Array(answer.headers) + Array(route.extra))
        if let status = answer.status, status.kind != .clientError {
            let said = [operation.success] + operation.redirects + operation.alternatives
            assert(said.contains(status), "\(route.name) does not say that it answers \(status.code)")
        }
        guard let body = try answer.encoded() else {
            return RawResponse(
                answer.status ?? .noContent, contentType: nil, body: [], requestID: requestID,
                version: answer.version, extra: extra)
        }
        var wired = RawResponse(
            answer.status ?? operation.success, contentType: operation.produces.rawValue, body: body,
            requestID: requestID, version: answer.version, extra: extra)
        wired.isConfidential = answer.isConfidential
        wired.isPublic = route.isPublic
        return wired
    }

    /// The output of a stream, with the time limit of a stream.
    func output(_ operation: Operation, headers: HTTPFields = [:], to sink: any ResponseSink) -> LineOutput {
        var head = RawResponse(
            operation.success, contentType: operation.produces.rawValue, body: [], requestID: requestID,
            extra: headers.isEmpty ? route.extra : HTTPFields(Array(headers) + Array(route.extra)))
        head.isPublic = route.isPublic
        return LineOutput(
            head: head, sink: sink, end: .now + responder.limits.streamLimit, isHeadOnly: self.head.method == .head)
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
        if head.method == .post, let key = try idempotencyKey() {
            claim = IdempotencyClaim(
                by: principal, at: head.client, operation: route.name, key: key, target: head.target, body: input.bytes,
                under: responder.answerKey)
        }
        if looksBefore, let claim, let stored = try await claim.stored(on: responder.database, for: requestID) {
            return stored
        }
        if let claim, responder.database.oldestCommit ?? .zero > Self.longCommit {
            // All connections may be waiting for commits, including the one of this key.
            if try await claim.isRunning(on: responder.database) {
                throw Problem(.stillRunning, headers: [.retryAfter: "1"])
            }
        }
        let prepared = try await prepare()
        return try await responder.database.transaction { [claim] transaction in
            if let claim, let stored = try await claim.claim(in: transaction, for: self.requestID) { return stored }
            let answer = try await body(prepared, transaction)
            if let claim { try await claim.store(answer, in: transaction) }
            return answer
        }
    }

    /// A commit that takes longer than this waits for more than its own disk.
    private static let longCommit = Duration.milliseconds(250)

    /// 1 to 200 visible ASCII characters.
    private func idempotencyKey() throws(Problem) -> String? {
        guard let key = head.idempotencyKey else { return nil }
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(.malformed, "Idempotency-Key must be 1 to 200 visible ASCII characters.")
        }
        return key
    }

    /// The version in `If-Match: "3"`. Weak tags, lists and `*` do not name one version; a tag that this service never
    /// issues, such as `"+3"` or `"03"`, matches nothing (RFC 9110, 13.1.1).
    private func expectedVersion() throws(Problem) -> Int? {
        guard let text = head.ifMatch else {
            if route.operation.requiresIfMatch { throw Problem(.preconditionRequired) }
            return nil
        }
        let bytes = text.utf8
        let tag = bytes.dropFirst().dropLast()
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\""),
            tag.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") })
        else { throw Problem(.malformed, "If-Match must be one strong entity tag that this service gave: \"3\".") }
        guard tag.allSatisfy({ (0x30...0x39).contains($0) }), tag.count == 1 || tag.first != UInt8(ascii: "0"),
            let version = Int(String(decoding: tag, as: UTF8.self))
        else { throw Problem(.stale) }
        return version
    }
}
