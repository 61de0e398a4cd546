import ServiceKit

/// Answers for as long as their servers allow, within bounds: the least recently used are evicted.
struct DNSCache {
    /// The shortest time spares a server whose records change all the time, the longest notices that a domain moved.
    private static let positive: ClosedRange<Duration> = .seconds(60) ... .seconds(86_400)
    /// RFC 2308, 5, advises one to three hours at most: a record that was just created is not missed for long.
    private static let negative: ClosedRange<Duration> = .seconds(300) ... .seconds(3600)

    private struct Entry: Sendable {
        var answer: DNSAnswer<DNSRecord>
        var end: ContinuousClock.Instant
    }

    private let now: @Sendable () -> ContinuousClock.Instant
    private var entries: BoundedCache<DNSQuery, Entry>

    init(capacity: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.now = now
        entries = BoundedCache(capacity: capacity)
    }

    mutating func answer(to query: DNSQuery) -> DNSAnswer<DNSRecord>? {
        guard let entry = entries.value(of: query), now() < entry.end else { return nil }
        return entry.answer
    }

    /// - Parameter lifetime: in seconds; nil if the server does not say.
    mutating func set(_ answer: DNSAnswer<DNSRecord>, lifetime: UInt32?, for query: DNSQuery) {
        let bounds: ClosedRange<Duration>
        switch answer {
        case .found: bounds = Self.positive
        case .none: bounds = Self.negative
        case .unknown: return
        }
        let lifetime = Duration.seconds(Int(lifetime ?? 0))
        let end = now() + min(max(lifetime, bounds.lowerBound), bounds.upperBound)
        entries.set(Entry(answer: answer, end: end), for: query)
    }
}
