/// How webhook messages are sent.
package struct WebhookSettings: Sendable {
    /// Allows receivers with addresses that are not on the public Internet, and plain HTTP on this machine: for tests
    /// and for a developer's own machine.
    var allowsPrivate = false
    /// Before each attempt: the example schedule of Standard Webhooks, three days and four hours in total.
    var delays: [Duration] = [
        .zero, .seconds(5), .seconds(300), .seconds(1800), .seconds(2 * 3600), .seconds(5 * 3600), .seconds(10 * 3600),
        .seconds(14 * 3600), .seconds(20 * 3600), .seconds(24 * 3600),
    ]
    /// Each delay is multiplied by a random number in this range, so that messages that failed together are not retried
    /// together.
    var jitter: ClosedRange<Double> = 0.9...1.1
    /// From looking up the host to the end of the response.
    package var timeLimit = Duration.seconds(15)
    /// How long a worker that no longer responds keeps a delivery: longer than an attempt can take.
    package var lease = Duration.seconds(30)
    /// How many messages are sent to one receiver at a time.
    package var concurrency = 4
    /// After this many rounds of messages the job ends, and another one continues.
    package var rounds = 25
    /// A webhook that has only failed for this long is disabled.
    var failureLimit = Duration.seconds(5 * 86_400)
    /// The pause that a receiver may ask for (`Retry-After`).
    var pauses: ClosedRange<Duration> = .seconds(1)...(.seconds(3600))
    /// How often to check whether there is a webhook, while there is none.
    package var idle = Duration.seconds(2)
    /// How many bytes of a response are read; the rest is left unread.
    var answerLimit = 64 << 10

    package init() {}

    /// How many attempts a delivery has before it is exhausted.
    var maximumAttempts: Int { delays.count }

    /// How long to wait after a failed attempt; 1 for the first.
    func delay(after attempt: Int) -> Duration {
        delays[min(max(attempt, 0), delays.count - 1)] * Double.random(in: jitter)
    }
}
