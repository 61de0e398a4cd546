import Testing

@testable import ServiceKit

@Suite("A circuit breaker")
struct CircuitBreakerTests {
    let start = ContinuousClock.now
    var breaker = CircuitBreaker(limit: 3, pause: .seconds(1), longestPause: .seconds(4))

    private func after(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    @Test("opens after its limit of failures in a row, and not before")
    mutating func opens() {
        for outcome in [CircuitBreaker.Outcome.failure, .failure, .success, .failure, .unknown, .failure] {
            #expect(breaker.admit(at: start) == .ordinary)
            breaker.report(outcome, of: .ordinary, at: start)
        }
        #expect(breaker.state == .closed(failures: 2))
        breaker.report(.failure, of: .ordinary, at: start)
        #expect(breaker.state == .open(until: after(1), pause: .seconds(1)))
        #expect(breaker.admit(at: after(0.999)) == nil)
    }

    @Test("lets one probe through when the pause is over, and closes if it succeeds")
    mutating func probes() {
        for _ in 1...3 { breaker.report(.failure, of: .ordinary, at: start) }
        #expect(breaker.admit(at: after(1)) == .probe)
        #expect(breaker.admit(at: after(1)) == nil)
        breaker.report(.success, of: .ordinary, at: after(1))
        #expect(breaker.admit(at: after(1)) == nil)
        breaker.report(.success, of: .probe, at: after(1))
        #expect(breaker.state == .closed(failures: 0))
        #expect(breaker.admit(at: after(1)) == .ordinary)
    }

    @Test("waits twice as long after each failed probe, up to a limit")
    mutating func backsOff() {
        for _ in 1...3 { breaker.report(.failure, of: .ordinary, at: start) }
        var now = after(1)
        for pause in [2, 4, 4] {
            #expect(breaker.admit(at: now) == .probe)
            breaker.report(.failure, of: .probe, at: now)
            let until = now.advanced(by: .seconds(pause))
            #expect(breaker.state == .open(until: until, pause: .seconds(pause)))
            now = until
        }
    }

    @Test("probes again at once after an inconclusive probe")
    mutating func unknownProbe() {
        for _ in 1...3 { breaker.report(.failure, of: .ordinary, at: start) }
        #expect(breaker.admit(at: after(1)) == .probe)
        breaker.report(.unknown, of: .probe, at: after(1))
        #expect(breaker.admit(at: after(1)) == .probe)
    }

    @Test("ignores calls that return after it opened")
    mutating func late() {
        for _ in 1...3 { breaker.report(.failure, of: .ordinary, at: start) }
        let open = breaker.state
        for outcome in [CircuitBreaker.Outcome.success, .failure, .unknown] {
            breaker.report(outcome, of: .ordinary, at: after(0.5))
            #expect(breaker.state == open)
        }
    }
}

@Suite("A retry budget")
struct RetryBudgetTests {
    @Test("never allows more retries than a fifth of the calls", arguments: [0, 1, 4, 5, 99, 1000])
    func fifth(calls: Int) {
        var budget = RetryBudget()
        var retries = 0
        for _ in 0..<calls {
            budget.earn()
            while budget.spend() { retries += 1 }
        }
        #expect(retries == calls / 5)
    }

    @Test("saves up no more than its limit")
    func limit() {
        var budget = RetryBudget(most: 10)
        for _ in 1...1000 { budget.earn() }
        var retries = 0
        while budget.spend() { retries += 1 }
        #expect(retries == 10)
    }
}
