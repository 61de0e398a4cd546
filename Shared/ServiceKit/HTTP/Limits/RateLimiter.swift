import NIOCore
import Synchronization

/// A token bucket for each key. Only the most recently used keys are remembered, so that made-up keys cannot fill the
/// memory.
final class RateLimiter: Sendable {
    private struct Bucket: Sendable {
        var tokens: Double
        var at: NIODeadline
    }

    private let limit: RateLimit
    private let buckets: Mutex<BoundedCache<String, Bucket>>

    init(_ limit: RateLimit, capacity: Int = 20_000) {
        self.limit = limit
        buckets = Mutex(BoundedCache(capacity: capacity))
    }

    /// Takes one token from the key's bucket.
    ///
    /// - Returns: nil if there was one; otherwise in how many seconds there will be one.
    func take(_ key: String, now: NIODeadline = .now()) -> Int? {
        buckets.withLock { buckets in
            var bucket = buckets.value(of: key) ?? Bucket(tokens: limit.burst, at: now)
            let seconds = Double((now - bucket.at).nanoseconds) / 1e9
            bucket.tokens = min(limit.burst, bucket.tokens + max(0, seconds) * limit.perSecond)
            bucket.at = now
            defer { buckets.set(bucket, for: key) }
            guard bucket.tokens < 1 else {
                bucket.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - bucket.tokens) / max(limit.perSecond, 0.001)).rounded(.up)))
        }
    }
}
