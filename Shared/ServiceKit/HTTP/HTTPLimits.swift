import ClubProtocol

/// How much of everything one listener takes from the world before it says no.
package struct HTTPLimits: Sendable {
    /// The largest JSON body; more is 413.
    package var maxBodyBytes = 1 << 20
    /// The largest body of an upload; more is 413.
    package var maxUploadBytes = 64 << 20
    /// The largest form; more is 413.
    package var maxFormBytes = 64 << 10
    /// The largest body of a caller without a token; more is 413.
    package var maxAnonymousBytes = 64 << 10
    /// What all that has arrived and is not worked on yet may take together (bodies, parts of uploads and of headers, requests
    /// that were sent ahead; more is 503), and with it all of the answers that clients have not read (more is cut off). A quarter of the memory that the process may use, but no more than 256 MiB.
    package var bufferedBytes = min(256 << 20, ProcessMemory.limit / 4)
    /// Requests that are worked on at the same time.
    package var inFlight = 1024
    /// Requests that wait for one of these places; more are answered 503 at once.
    package var queued = 1024
    /// How long a request waits for a place. When the queue has not been empty for a second, a tenth of it: then it is
    /// no burst but too much work, and waiting would only make everybody late.
    package var queueWait: Duration = .milliseconds(500)
    /// Requests that wait for something outside while others have their places: polls of the change feed, uploads, streams.
    package var waiting = 512
    /// Those of one caller; more are 429.
    package var waitingPerCaller = 16
    /// Open sockets; more wait in the kernel's backlog.
    package var connections = 8192
    /// Those of one address, of IPv6 of one /64; more are answered 429 and closed. Nil: a quarter of ``connections``. What comes
    /// from this machine and from ``trustedProxies`` is not counted.
    package var connectionsPerAddress: Int?
    /// Proxies whose `Forwarded` or `X-Forwarded-For` says where a request comes from.
    package var trustedProxies = TrustedProxies()
    /// All header fields together; more is 431.
    package var headerBytes = 32 << 10
    /// The request target; more is 414.
    package var uriBytes = 8 << 10
    /// Bytes that one read of a socket brings at the most: what is parsed before others have their turn.
    package var readBytes = 16 << 10
    /// Requests of one connection that begin in one turn of its event loop, if it sends so many ahead.
    package var requestsPerTurn = 16
    /// From the first byte of a request (or from the connect) to the end of its header.
    package var headerTimeout: Duration = .seconds(9)
    /// In each stretch of this length a body must bring at least ``bodyStallBytes``.
    package var bodyStall: Duration = .seconds(20)
    package var bodyStallBytes = 512
    /// A whole body must be there after this time and as long as its bytes take at ``bodyBytesPerSecond``, without the time in
    /// which it is we who do not read; otherwise 408.
    package var bodyGrace: Duration = .seconds(30)
    package var bodyBytesPerSecond = 16 << 10
    /// How long an answer may wait for a client that does not read, and each 64 KiB of a long one.
    package var writeStall: Duration = .seconds(30)
    /// How long an answer that is written as it goes out may take as a whole; then it is cut off.
    package var streamLimit: Duration = .seconds(600)
    /// Exports that are written at the same time, each for another caller; more are 429.
    package var exports = 2
    /// How long a connection is kept without a request.
    package var idleTimeout: Duration = .seconds(60)
    /// Requests a second for one person, and how many more at once. Operators and services are not limited.
    package var principalRate = RateLimit(perSecond: 1000, burst: 2000)
    /// Requests a second without a token, for one remote address, and how many more at once: a person who reads pages, not
    /// a program that copies them. Behind a proxy that is not among ``trustedProxies`` everybody has the proxy's address; then
    /// the proxy limits, and this is set to what all of them together may do.
    package var anonymousRate = RateLimit(perSecond: 10, burst: 100)
    /// Tokens that are not accepted, for one remote address.
    package var failedTokenRate = RateLimit(perSecond: 1, burst: 60)

    package init() {}

    /// What one address may hold of ``bufferedBytes``: an eighth, or one body of the greatest length.
    var bufferedBytesPerAddress: Int { max(bufferedBytes / 8, maxBodyBytes + BodyBudget.small) }

    /// How long a body of so many bytes may take.
    func bodyTime(_ bytes: Int) -> Duration { bodyGrace + .seconds(Double(bytes) / Double(bodyBytesPerSecond)) }

    /// The longest body that an operation takes from a caller.
    func bodyBytes(_ operation: Operation, isUpload: Bool, isAnonymous: Bool) -> Int {
        var limit = isUpload ? maxUploadBytes : maxBodyBytes
        if operation.consumes == .form { limit = min(limit, maxFormBytes) }
        return isAnonymous ? min(limit, maxAnonymousBytes) : limit
    }
}

/// A token bucket: `burst` at once, `perSecond` in the long run.
package struct RateLimit: Sendable, Hashable {
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}
