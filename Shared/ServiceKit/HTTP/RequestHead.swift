import ClubProtocol
import HTTPTypes
import NIOHTTP1

/// What the pipeline reads of a request's head: collected in one pass over the header fields, without a dictionary.
///
/// `X-Forwarded-For`, `X-User-ID` and their like are not among it: who asks is said by the token, from where by the socket.
struct RequestHead: Sendable {
    enum Verb: Int, CaseIterable, Sendable {
        case get, head, post, put, patch, delete
        /// A method that no operation has.
        case other
    }

    let verb: Verb
    /// The path and the query as they were sent.
    let target: String
    let address: String
    private(set) var authorization: String?
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
    /// All fields together, as they stand on the wire.
    private(set) var fieldBytes = 0
    /// What is wrong with the head itself; answered before anything else is looked at.
    private(set) var fault: Problem?
    private var hosts = 0

    /// Whether a body comes, as far as the head tells.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    /// - Parameter requiresHost: HTTP/1.1 asks for exactly one `Host` (RFC 9112, 3.2).
    init(_ head: HTTPRequestHead, address: String) {
        verb = Verb(head.method)
        target = Self.originForm(head.uri)
        self.address = address
        settleTarget()
        for (name, value) in head.headers { take(name, value) }
        if hosts > 1 || (hosts == 0 && head.version == .http1_1) {
            refuse("Exactly one Host header field must be there.")
        }
        settle()
    }

    init(_ request: HTTPRequest, address: String) {
        verb = Verb(request.method)
        target = Self.originForm(request.path ?? "/")
        self.address = address
        settleTarget()
        for field in request.headerFields { take(field.name.canonicalName, field.value) }
        settle()
    }

    /// A target is ASCII: everything else is percent-encoded in it (RFC 3986, 2).
    private mutating func settleTarget() {
        if !target.isASCII { refuse("The request target must be ASCII.") }
    }

    private mutating func settle() {
        if isChunked && contentLength != nil {
            refuse("Content-Length and Transfer-Encoding exclude each other.")
        }
    }

    private mutating func take(_ name: String, _ value: String) {
        fieldBytes += name.utf8.count + value.utf8.count + 4
        // Before anything is compared with it, and whatever field it is.
        guard value.isFieldValue else { return refuse("The values of header fields must be ASCII.") }
        switch name.utf8.count {
        case 4:
            if name.isField("host") { hosts += 1 }
        case 6:
            if name.isField("expect") { expectsContinue = value.isField("100-continue") }
        case 7:
            if name.isField("upgrade") { asksForUpgrade = true }
        case 8:
            if name.isField("if-match") { take(value, into: \.ifMatch, "If-Match") }
        case 11:
            if name.isField("traceparent") { traceparent = value }
        case 12:
            if name.isField("content-type") {
                take(value, into: \.contentType, "Content-Type")
            } else if name.isField("club-timeout") {
                take(value, into: \.timeout, "Club-Timeout")
            } else if name.isField("x-request-id") {
                requestID = Self.isRequestID(value) ? value : nil
            }
        case 13:
            if name.isField("authorization") { take(value, into: \.authorization, "Authorization") }
        case 14:
            if name.isField("content-length") { takeLength(value) }
        case 15:
            if name.isField("idempotency-key") { take(value, into: \.idempotencyKey, "Idempotency-Key") }
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

    private mutating func take(_ value: String, into place: WritableKeyPath<RequestHead, String?>, _ name: String) {
        if self[keyPath: place] != nil { refuse("\(name) may be there once.") }
        self[keyPath: place] = value
    }

    private mutating func takeLength(_ value: String) {
        guard contentLength == nil, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(value)
        else { return refuse("Content-Length is no number.") }
        contentLength = length
    }

    private mutating func refuse(_ detail: String) {
        if fault == nil { fault = Problem(.malformed, detail) }
    }

    /// What a caller may name its request: 1 to 64 letters, digits, dots, underscores and hyphens.
    private static func isRequestID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The path and query of a target in absolute form, which a server must understand (RFC 9112, 3.2.2).
    private static func originForm(_ target: String) -> String {
        let bytes = target.utf8
        guard bytes.first != UInt8(ascii: "/"), let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[colon...].starts(with: "://".utf8)
        else { return target }
        guard let slash = bytes[colon...].dropFirst(3).firstIndex(of: UInt8(ascii: "/")) else { return "/" }
        return String(target[slash...])
    }
}

extension RequestHead.Verb {
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

extension String {
    /// Whether this can be the value of a header field: visible ASCII, blanks and tabs (RFC 9110, 5.5). What else servers used
    /// to take there, `obs-text`, has no meaning that anybody agrees on.
    fileprivate var isFieldValue: Bool {
        utf8.withContiguousStorageIfAvailable(ASCII.isField) ?? Array(utf8).withUnsafeBufferPointer(ASCII.isField)
    }
}

extension StringProtocol {
    /// Whether this is `lowercase` but for the case of ASCII letters.
    func isField(_ lowercase: StaticString) -> Bool {
        guard utf8.count == lowercase.utf8CodeUnitCount else { return false }
        var expected = lowercase.utf8Start
        for byte in utf8 {
            let folded = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            guard folded == expected.pointee else { return false }
            expected += 1
        }
        return true
    }
}
