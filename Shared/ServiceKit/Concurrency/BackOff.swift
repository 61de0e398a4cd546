/// How long what failed waits for its next attempt.
package struct BackOff: Sendable {
    var first: Duration
    var longest: Duration

    package init(first: Duration = .seconds(1), longest: Duration = .seconds(600)) {
        self.first = first
        self.longest = longest
    }

    /// Doubles after each attempt; up to half of it is subtracted at random, so that what failed together is not retried
    /// together.
    ///
    /// - Parameter attempt: the one that failed, 1 for the first.
    package func delay(after attempt: Int) -> Duration {
        let doubled = first * Double(UInt64(1) << UInt64(min(max(attempt - 1, 0), 40)))
        return min(doubled, longest) * Double.random(in: 0.5...1)
    }
}
