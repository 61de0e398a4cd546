import ClubProtocol

/// How webhook messages are sent.
package struct WebhookSettings: Sendable {
    /// Allows receivers with addresses that are not on the public Internet, and plain HTTP on this machine: for tests
    /// and for a developer's own machine.
    package var allowsPrivate = false
    /// Before each attempt: the example schedule of Standard Webhooks, three days and four hours in total.
    package var delays: [Duration] = [
        .zero, .seconds(5), .seconds(300), .seconds(1800), .seconds(2 * 3600), .seconds(5 * 3600), .seconds(10 * 3600),
        .seconds(14 * 3600), .seconds(20 * 3600), .seconds(24 * 3600),
    ]
    /// Each delay is multiplied by a random number in this range, so that messages that failed together are not retried
    /// together.
    package var jitter: ClosedRange<Double> = 0.9...1.1
    /// From looking up the host to the end of the response.
    package var timeLimit = Duration.seconds(15)
    /// How long a worker that no longer responds keeps a delivery: longer than an attempt can take.
    package var lease = Duration.seconds(30)
    /// How many messages are sent to one receiver at a time.
    package var concurrency = 4
    /// After this many rounds of messages the job ends, and another one continues.
    package var rounds = 25
    /// A webhook that has only failed for this long is disabled.
    package var failureLimit = Duration.seconds(5 * 86_400)
    /// The pause that a receiver may ask for (`Retry-After`).
    package var pauses: ClosedRange<Duration> = .seconds(1)...(.seconds(3600))
    /// How often to check whether there is a webhook, while there is none.
    package var idle = Duration.seconds(2)
    /// How many bytes of a response are read; the rest is left unread.
    package var answerLimit = 64 << 10

    package init() {}

    /// How many attempts a delivery has before it is exhausted.
    var maximumAttempts: Int { delays.count }

    /// How long to wait after a failed attempt; 1 for the first.
    func delay(after attempt: Int) -> Duration {
        delays[min(max(attempt, 0), delays.count - 1)] * Double.random(in: jitter)
    }
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in the preferred form.
enum RetryAfter {
    /// - Parameter now: in seconds since 1970.
    /// - Returns: how long to wait, zero for a time in the past; nil for anything else.
    static func duration(_ text: String, now: Int64) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            // A number that does not fit is longer than anyone waits.
            return .seconds(Int64(text.prefix(9)) ?? 0)
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let parts = text.split(atByte: UInt8(ascii: " "), omittingEmpty: true)
        guard parts.count == 6, parts[5] == "GMT", parts[1].count == 2, parts[3].count == 4,
            let month = months.firstIndex(of: String(parts[2])),
            let time = try? Timestamp(
                validating: "\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
        else { return nil }
        return .seconds(max(0, time.microseconds / 1_000_000 - now))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
