/// When to retry: at once, then after 50 ms, 100 ms and so on up to about a second, each shortened randomly so that
/// many clients do not reconnect in step.
struct BackOff {
    private(set) var failures = 0
    private(set) var notBefore: UInt64 = 0

    mutating func failed(now: UInt64) {
        let ceiling = min(1_000, 50 << min(failures, 5))
        failures += 1
        notBefore = now + UInt64.random(in: UInt64(ceiling) / 2...UInt64(ceiling)) * 1_000_000
    }

    mutating func succeeded() {
        failures = 0
        notBefore = 0
    }

    /// A connection was lost. If it lasted less than a second, that counts as a failure to connect.
    mutating func lost(after life: UInt64, now: UInt64) {
        if life < 1_000_000_000 { failed(now: now) } else { succeeded() }
    }
}
