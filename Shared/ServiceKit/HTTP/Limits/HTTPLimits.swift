import ClubProtocol

/// The limits of one listener.
package struct HTTPLimits: Sendable {
    /// The largest JSON body; more is 413.
    var maxBodyBytes = 1 << 20
    /// The largest body of an upload; more is 413.
    var maxUploadBytes = 64 << 20
    /// The largest form; more is 413.
    var maxFormBytes = 64 << 10
    /// The largest body from a caller without a token; more is 413.
    var maxAnonymousBytes = 64 << 10
    /// The memory for everything that has arrived and is not processed yet (bodies, parts of uploads and of headers,
    /// requests that were sent ahead; more is 503), and for responses that clients have not read (more is cut off). A
    /// quarter of the memory that the process may use, but no more than 256 MiB.
    var bufferedBytes = min(256 << 20, ProcessMemory.limit / 4)
    /// Requests in progress at the same time.
    package var inFlight = 1024
    /// Requests that wait for one of these places; more are refused with 503 at once.
    package var queued = 1024
    /// How long a request waits for a place. When the queue has not been empty for a second, a tenth of it: that is
    /// overload rather than a burst, and waiting would only delay everyone.
    var queueWait: Duration = .milliseconds(500)
    /// Requests that wait for something outside while others use their places: polls of the change feed, uploads,
    /// streams.
    package var waiting = 512
    /// Such requests of one caller; more are 429.
    var waitingPerCaller = 16
    /// Open connections; more wait in the kernel's backlog.
    package var connections = 8192
    /// Connections of one address, for IPv6 of one /64; more are answered 429 and closed. Nil: a quarter of
    /// ``connections``. Connections from this machine and from ``trustedProxies`` are not counted.
    var connectionsPerAddress: Int?
    /// Proxies whose `Forwarded` or `X-Forwarded-For` is trusted.
    var trustedProxies = TrustedProxies()
    /// All header fields together; more is 431.
    var headerBytes = 32 << 10
    /// The request target; more is 414.
    var uriBytes = 8 << 10
    /// The most bytes that one read of a socket brings: what is parsed before other connections have their turn.
    var readBytes = 16 << 10
    /// Requests of one connection that begin in one turn of its event loop, if it pipelines so many.
    var requestsPerTurn = 16
    /// From the first byte of a request (or from the connect) to the end of its header.
    var headerTimeout: Duration = .seconds(9)
    /// In each stretch of this length a body must bring at least ``bodyStallBytes``.
    var bodyStall: Duration = .seconds(20)
    var bodyStallBytes = 512
    /// A whole body must arrive within this time plus what its bytes take at ``bodyBytesPerSecond``, not counting time
    /// in which we do not read; otherwise 408.
    var bodyGrace: Duration = .seconds(30)
    var bodyBytesPerSecond = 16 << 10
    /// How long a response may wait for a client that does not read, and so may each 64 KiB of a long one.
    var writeStall: Duration = .seconds(30)
    /// How long a streamed response may take in total; then it is cut off.
    var streamLimit: Duration = .seconds(600)
    /// Exports that are written at the same time, each for another caller; more are 429.
    var exports = 2
    /// How long a connection is kept without a request.
    var idleTimeout: Duration = .seconds(60)
    /// Requests a second for one person, and the burst. Operators and services are not limited.
    var principalRate = RateLimit(perSecond: 1000, burst: 2000)
    /// Requests a second without a token, for one remote address, and the burst: enough for a person who reads pages,
    /// not for a program that copies them. Behind a proxy that is not among ``trustedProxies`` all clients have the
    /// proxy's address; then the proxy does the limiting, and this is set to what all of them together may do.
    package var anonymousRate = RateLimit(perSecond: 10, burst: 100)
    /// How long a request that is not counted waits for a connection to the database: those of a mailing come at once,
    /// and none is refused because of the others.
    var linkPatience: Duration = .seconds(30)
    /// Refused tokens a second, for one remote address, and the burst.
    var failedTokenRate = RateLimit(perSecond: 1, burst: 60)

    package init() {}

    /// What one address may hold of ``bufferedBytes``: an eighth, or one body of the maximum length.
    var bufferedBytesPerAddress: Int { max(bufferedBytes / 8, maxBodyBytes + BodyBudget.small) }

    /// How long a body of this size may take.
    func bodyTime(_ bytes: Int) -> Duration { bodyGrace + .seconds(Double(bytes) / Double(bodyBytesPerSecond)) }

    /// The longest body that an operation accepts from a caller.
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
