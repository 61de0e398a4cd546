import ClubProtocol
import HTTPTypes
import NIOHTTP1

/// What the pipeline reads of a request's head: collected in one pass over the header fields, without a dictionary.
///
/// `X-User-ID` and the like are not read: the token says who the caller is; the socket, or a trusted proxy, says where
/// the request comes from.
package struct RequestHead: Sendable {
    package enum Method: Int, CaseIterable, Sendable {
        case get, head, post, put, patch, delete
        /// A method that no operation uses.
        case other
    }

    let method: Method
    /// The path and the query as they were sent.
    let target: String
    /// Where the request comes from.
    private(set) var client: ClientAddress
    private(set) var authorization: String?
    private(set) var accept: String?
    private(set) var contentType: String?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var isEncoded = false
    private(set) var timeout: String?
    private(set) var idempotencyKey: String?
    private(set) var ifMatch: String?
    private(set) var traceparent: String?
    private(set) var expectsContinue = false
    private(set) var asksForUpgrade = false
    private(set) var requestID: String?
    /// The size of all fields together, as sent.
    private(set) var fieldBytes = 0
    /// What is wrong with the head itself; answered before anything else is checked.
    private(set) var fault: Problem?
    private var hosts = 0
    private let proxies: TrustedProxies?
    private var forwarded: String?
    private var forwardedFor: String?

    /// Whether a body follows, as far as the head tells.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    init(_ head: HTTPRequestHead, from peer: Peer) {
        method = Method(head.method)
        let target = Self.originForm(head.uri)
        self.target = target ?? head.uri
        client = peer.client
        proxies = peer.proxies
        settleTarget()
        for (name, value) in head.headers { take(name, value) }
        // Exactly one, from HTTP/1.1 on (RFC 9112, 3.2).
        if hosts > 1 || (hosts == 0 && head.version == .http1_1) {
            refuse("Exactly one Host header field is required.")
        }
        if target == nil { refuse("The request target has user information or no host.") }
        if head.version.minor == 0 { settleAsOldClient() }
        settle()
    }

    init(_ request: HTTPRequest, from peer: Peer) {
        method = Method(request.method)
        target = Self.originForm(request.path ?? "/") ?? "/"
        client = peer.client
        proxies = peer.proxies
        settleTarget()
        for field in request.headerFields { take(field.name.canonicalName, field.value) }
        settle()
    }

    /// A target is ASCII; everything else is percent-encoded (RFC 3986, 2).
    private mutating func settleTarget() {
        if !target.isASCII { refuse("The request target must be ASCII.") }
    }

    private mutating func settle() {
        if isChunked && contentLength != nil {
            refuse("Content-Length and Transfer-Encoding exclude each other.")
        }
        if let proxies, forwarded != nil || forwardedFor != nil {
            client = proxies.client(of: client, forwarded: forwarded, forwardedFor: forwardedFor)
        }
    }

    /// HTTP/1.0 has neither chunks (RFC 9112, 6.1) nor `100 Continue` (RFC 9110, 10.1.1).
    private mutating func settleAsOldClient() {
        if isChunked { refuse("HTTP/1.0 has no Transfer-Encoding.") }
        expectsContinue = false
    }

    private mutating func take(_ name: String, _ value: String) {
        fieldBytes += name.utf8.count + value.utf8.count + 4
        // Checked for every field, before anything is compared with its value.
        guard value.isFieldValue else { return refuse("The values of header fields must be ASCII.") }
        switch name.utf8.count {
        case 4:
            if name.isField("host") { takeHost(value) }
        case 6:
            if name.isField("accept") {
                Self.append(value, to: &accept)
            } else if name.isField("expect") {
                takeExpectation(value)
            }
        case 7:
            if name.isField("upgrade") { asksForUpgrade = true }
        case 8:
            if name.isField("if-match") { requireOnce(Self.take(value, into: &ifMatch), "If-Match") }
        case 9:
            if proxies != nil, name.isField("forwarded") { Self.append(value, to: &forwarded) }
        case 11:
            if name.isField("traceparent") { traceparent = value }
        case 12:
            if name.isField("content-type") {
                requireOnce(Self.take(value, into: &contentType), "Content-Type")
            } else if name.isField("club-timeout") {
                requireOnce(Self.take(value, into: &timeout), "Club-Timeout")
            } else if name.isField("x-request-id") {
                requestID = PlainIdentifier.isValid(value) ? value : nil
            }
        case 13:
            if name.isField("authorization") { requireOnce(Self.take(value, into: &authorization), "Authorization") }
        case 14:
            if name.isField("content-length") { takeLength(value) }
        case 15:
            if name.isField("idempotency-key") {
                requireOnce(Self.take(value, into: &idempotencyKey), "Idempotency-Key")
            } else if proxies != nil, name.isField("x-forwarded-for") {
                Self.append(value, to: &forwardedFor)
            }
        case 16:
            if name.isField("content-encoding"), !value.isField("identity") { isEncoded = true }
        case 17:
            if name.isField("transfer-encoding") {
                if isChunked || !value.isField("chunked") { refuse("Transfer-Encoding must be chunked.") }
                isChunked = true
            }
        default: break
        }
    }

    /// - Returns: whether it is the first.
    private static func take(_ value: String, into place: inout String?) -> Bool {
        defer { place = value }
        return place == nil
    }

    private mutating func requireOnce(_ isFirst: Bool, _ name: StaticString) {
        if !isFirst { refuse("\(name) must not be repeated.") }
    }

    /// Several field lines are one list (RFC 9110, 5.3).
    private static func append(_ value: String, to place: inout String?) {
        place = place.map { "\($0),\(value)" } ?? value
    }

    private mutating func takeHost(_ value: String) {
        hosts += 1
        // An invalid one is 400, as are none and two (RFC 9112, 3.2).
        if !HostField.isValid(value) { refuse("Host must be a host with an optional port.") }
    }

    private mutating func takeExpectation(_ value: String) {
        if value.isField("100-continue") {
            expectsContinue = true
        } else if !value.isEmpty, fault == nil {
            fault = Problem(.expectationFailed, "Expect may only be 100-continue.")
        }
    }

    private mutating func takeLength(_ value: String) {
        guard contentLength == nil, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(value)
        else { return refuse("Content-Length is not a number.") }
        contentLength = length
    }

    private mutating func refuse(_ detail: String) {
        if fault == nil { fault = Problem(.malformed, detail) }
    }

    /// The path and query of a target in absolute form, which a server must accept (RFC 9112, 3.2.2).
    ///
    /// - Returns: nil if it contains a user (RFC 9110, 4.2.4), or no host or an invalid one (4.2.1): these are errors.
    private static func originForm(_ target: String) -> String? {
        let bytes = target.utf8
        guard bytes.first != UInt8(ascii: "/") else { return target }
        let length: Int
        if Substring(bytes.prefix(7)).isField("http://") {
            length = 7
        } else if Substring(bytes.prefix(8)).isField("https://") {
            length = 8
        } else {
            return target
        }
        let rest = bytes.dropFirst(length)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, authority.first != UInt8(ascii: ":"), HostField.isValid(Substring(authority)) else {
            return nil
        }
        guard end < rest.endIndex else { return "/" }
        return rest[end] == UInt8(ascii: "/") ? String(Substring(rest[end...])) : "/\(Substring(rest[end...]))"
    }
}

extension RequestHead.Method {
    init(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .HEAD: self = .head
        case .POST: self = .post
        case .PUT: self = .put
        case .PATCH: self = .patch
        case .DELETE: self = .delete
        default: self = .other
        }
    }

    init(_ method: HTTPRequest.Method) {
        switch method {
        case .get: self = .get
        case .head: self = .head
        case .post: self = .post
        case .put: self = .put
        case .patch: self = .patch
        case .delete: self = .delete
        default: self = .other
        }
    }

    var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .other: ""
        }
    }
}
