import CoreMetrics
import FoundationEssentials
import Synchronization

/// One time series, which can write itself.
protocol PrometheusSeries: AnyObject, Sendable {
    /// - Parameter labels: `{a="b"}` or nothing.
    func write(name: String, labels: [(String, String)], into text: inout PrometheusText)
}

/// A number that only grows.
final class PrometheusCounter: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        // Adding with an overflow check would cost a loop; 2^63 increments are out of reach.
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        value.store(0, ordering: .relaxed)
    }

    func write(name: String, labels: [(String, String)], into text: inout PrometheusText) {
        text.sample(name, labels, String(value.load(ordering: .relaxed)))
    }
}

/// A double that several threads can add to without a lock.
struct AtomicDouble: ~Copyable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, current) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = current
        }
    }
}

/// A floating-point number that only grows.
final class PrometheusFloatingCounter: PrometheusSeries, FloatingPointCounterHandler {
    private let value = AtomicDouble()

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        value.add(amount)
    }

    func reset() {
        value.set(0)
    }

    func write(name: String, labels: [(String, String)], into text: inout PrometheusText) {
        text.sample(name, labels, PrometheusText.number(value.value))
    }
}

/// A number that goes up and down: a meter, or a recorder that does not aggregate.
final class PrometheusGauge: PrometheusSeries, MeterHandler, RecorderHandler {
    private let value = AtomicDouble()

    func set(_ value: Int64) { self.value.set(Double(value)) }
    func set(_ value: Double) { self.value.set(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(name: String, labels: [(String, String)], into text: inout PrometheusText) {
        text.sample(name, labels, PrometheusText.number(value.value))
    }
}

/// The distribution of values over fixed buckets; without buckets, their count and sum (a summary).
final class PrometheusHistogram: PrometheusSeries, TimerHandler, RecorderHandler {
    private let bounds: [Double]
    /// The number of values between one bound and the next; the last one in use is beyond all bounds.
    private let counts = InlineArray<15, Atomic<UInt64>> { _ in Atomic(0) }
    private let sum = AtomicDouble()

    /// - Parameter bounds: the upper bounds, ascending; at most 14.
    init(bounds: [Double]) {
        precondition(bounds.count <= 14, "a histogram has 14 bounds at the most")
        self.bounds = bounds
    }

    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1_000_000_000) }
    func record(_ value: Int64) { observe(Double(value)) }
    func record(_ value: Double) { observe(value) }

    private func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index].wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func write(name: String, labels: [(String, String)], into text: inout PrometheusText) {
        var total: UInt64 = 0
        for index in 0...bounds.count {
            total += counts[index].load(ordering: .relaxed)
            guard !bounds.isEmpty else { continue }
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            text.sample("\(name)_bucket", labels + [("le", bound)], String(total))
        }
        text.sample("\(name)_sum", labels, PrometheusText.number(sum.value))
        text.sample("\(name)_count", labels, String(total))
    }
}

/// The bucket bounds of each histogram, by name.
enum HistogramBounds {
    /// As recommended by OpenTelemetry's conventions for the durations of HTTP requests.
    static let http: [Double] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    /// As recommended there for database operations.
    static let database: [Double] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
    /// Counts and bytes: powers of four.
    static let amounts: [Double] = (0..<14).map { Double(1 << (2 * $0)) }

    /// - Returns: no bounds for metrics that have many labels and whose distribution is not needed: jobs by kind,
    ///   deliveries, routes.
    static func seconds(of name: String) -> [Double] {
        if name.hasPrefix("db_") { return database }
        let isPlain = ["job_", "webhook_", "http_server_route_"].contains { name.hasPrefix($0) }
        return isPlain ? [] : http
    }
}
