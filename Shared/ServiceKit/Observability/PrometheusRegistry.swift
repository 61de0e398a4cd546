import CoreMetrics
import Synchronization

/// All metrics of this process: the back end of swift-metrics, which writes the text that Prometheus scrapes.
///
/// Values are recorded without a lock. One lock guards the list of series, and is taken when a metric is created, not
/// when it is used.
final class PrometheusRegistry: MetricsFactory {
    enum Kind: String {
        case counter, gauge, histogram, summary
    }

    private struct SeriesKey: Hashable {
        var labels: [String]
    }

    private struct Family {
        var kind: Kind
        var series: [SeriesKey: (labels: [(String, String)], series: any PrometheusSeries)] = [:]
    }

    private struct Reader {
        var kind: Kind
        var read: @Sendable () -> Double?
    }

    private struct State {
        var families: [String: Family] = [:]
        var readers: [String: Reader] = [:]
        var helps: [String: String] = [:]
        var seriesLeftOut = 0
    }

    /// The most series of one name. Otherwise a label whose values come from callers could fill the memory.
    static let maximumSeriesPerName = 1000

    private let state = Mutex(State())

    init() {}

    // MARK: MetricsFactory

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(counterName(label), .counter, dimensions) { PrometheusCounter() }
    }

    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(counterName(label), .counter, dimensions) { PrometheusFloatingCounter() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(PrometheusText.metricName(label), .gauge, dimensions) { PrometheusGauge() }
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        let name = PrometheusText.metricName(label)
        guard aggregate else { return series(name, .gauge, dimensions) { PrometheusGauge() } }
        return series(name, .histogram, dimensions) { PrometheusHistogram(bounds: HistogramBounds.amounts) }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let plain = PrometheusText.metricName(label)
        let name = plain.hasSuffix("_seconds") ? plain : "\(plain)_seconds"
        let bounds = HistogramBounds.seconds(of: name)
        return series(name, bounds.isEmpty ? .summary : .histogram, dimensions) { PrometheusHistogram(bounds: bounds) }
    }

    func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: Reading

    /// A gauge whose value is read at each scrape; nil leaves it out of that scrape.
    func gauge(_ name: String, read: @escaping @Sendable () -> Double?) {
        state.withLock { $0.readers[PrometheusText.metricName(name)] = Reader(kind: .gauge, read: read) }
    }

    /// A counter that is kept elsewhere and read at each scrape.
    func counter(_ name: String, read: @escaping @Sendable () -> Double?) {
        state.withLock { $0.readers[counterName(name)] = Reader(kind: .counter, read: read) }
    }

    /// Sets the meaning of a metric, the `HELP` line of the exposition, for one that ``MetricHelp`` does not know.
    func describe(_ name: String, _ help: String) {
        state.withLock { $0.helps[PrometheusText.metricName(name)] = help }
    }

    /// All metrics in the text exposition format 0.0.4, sorted by name.
    func text() -> [UInt8] {
        let (families, readers, helps, leftOut) = state.withLock {
            ($0.families, $0.readers, $0.helps, $0.seriesLeftOut)
        }
        var text = PrometheusText()
        for name in Set(families.keys).union(readers.keys).sorted() {
            let help = helps[name] ?? MetricHelp.text(for: name)
            if let family = families[name] {
                text.header(name, type: family.kind.rawValue, help: help)
                for (_, entry) in family.series.sorted(by: { $0.key.labels.lexicographicallyPrecedes($1.key.labels) }) {
                    entry.series.write(name: name, labels: entry.labels, into: &text)
                }
            } else if let reader = readers[name], let value = reader.read() {
                text.header(name, type: reader.kind.rawValue, help: help)
                text.sample(name, [], PrometheusText.number(value))
            }
        }
        let name = "metrics_series_left_out_total"
        text.header(name, type: Kind.counter.rawValue, help: MetricHelp.text(for: name))
        text.sample(name, [], String(leftOut))
        return text.bytes
    }

    static let contentType = PrometheusText.contentType

    // MARK: Series

    private func counterName(_ label: String) -> String {
        let name = PrometheusText.metricName(label)
        return name.hasSuffix("_total") ? name : "\(name)_total"
    }

    /// The series with these labels; the same one each time. A series that cannot be kept (too many, or the name
    /// belongs to another kind) still counts, but is not exported.
    private func series<Series: PrometheusSeries>(
        _ name: String, _ kind: Kind, _ dimensions: [(String, String)], make: () -> Series
    ) -> Series {
        var labels: [(String, String)] = []
        for (label, value) in dimensions {
            let label = PrometheusText.labelName(label)
            if !labels.contains(where: { $0.0 == label }) { labels.append((label, value)) }
        }
        labels.sort { $0.0 < $1.0 }
        let key = SeriesKey(labels: labels.flatMap { [$0.0, $0.1] })
        let new = make()
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            if let known = family.series[key]?.series as? Series { return known }
            guard family.kind == kind, family.series[key] == nil, family.series.count < Self.maximumSeriesPerName else {
                state.seriesLeftOut += 1
                return new
            }
            family.series[key] = (labels, new)
            state.families[name] = family
            return new
        }
    }

    /// A destroyed counter is kept: Prometheus expects a counter to continue, and the next one with the same labels is
    /// the same.
    private func remove(_ handler: AnyObject) {
        guard handler is PrometheusGauge else { return }
        state.withLock { state in
            for (name, family) in state.families {
                guard let key = family.series.first(where: { $0.value.series === handler })?.key else { continue }
                state.families[name]?.series[key] = nil
                if family.series.count == 1 { state.families[name] = nil }
            }
        }
    }
}
