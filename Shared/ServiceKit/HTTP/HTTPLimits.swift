/// How much of everything one listener takes from the world before it says no.
package struct HTTPLimits: Sendable {
    /// The largest JSON body; more is 413.
    package var maxBodyBytes = 1 << 20
    /// The largest body of an upload; more is 413.
    package var maxUploadBytes = 64 << 20
    /// What all bodies that are being read may hold together; more is 503.
    package var bufferedBytes = 256 << 20
    /// Requests that are worked on at the same time.
    package var inFlight = 1024
    /// Requests that wait for one of these places; more are answered 503 at once.
    package var queued = 1024
    /// How long a request waits for a place. When the queue has not been empty for a second, a tenth of it: then it is
    /// no burst but too much work, and waiting would only make everybody late.
    package var queueWait: Duration = .milliseconds(500)
    /// Open sockets; more wait in the kernel's backlog.
    package var connections = 8192
    /// All header fields together; more is 431.
    package var headerBytes = 32 << 10
    /// The request target; more is 414.
    package var uriBytes = 8 << 10
    /// From the first byte of a request (or from the connect) to the end of its header.
    package var headerTimeout: Duration = .seconds(9)
    /// In each stretch of this length a body must bring at least ``bodyStallBytes``.
    package var bodyStall: Duration = .seconds(20)
    package var bodyStallBytes = 512
    /// How long an answer may wait for a client that does not read.
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
    /// a program that copies them. Behind a proxy everybody has the proxy's address; then the proxy limits, and this is set
    /// to what all of them together may do.
    package var anonymousRate = RateLimit(perSecond: 10, burst: 100)
    /// Tokens that are not accepted, for one remote address.
    package var failedTokenRate = RateLimit(perSecond: 1, burst: 60)

    package init() {}
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
