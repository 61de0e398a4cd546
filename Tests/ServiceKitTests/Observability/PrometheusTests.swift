import CoreMetrics
import Foundation
import Testing

@testable import ServiceKit

@Suite("Prometheus text")
struct PrometheusTests {
    /// Reads the exposition format strictly: what it cannot read fails the test.
    struct Exposition {
        struct Sample: Hashable {
            var name: String
            var labels: [String: String]
        }

        var types: [String: String] = [:]
        var help: [String: String] = [:]
        var samples: [Sample: Double] = [:]

        init(_ bytes: [UInt8]) throws {
            let text = try #require(String(validating: bytes, as: UTF8.self))
            try #require(text.hasSuffix("\n"))
            var seen: Set<String> = []
            for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("# ") {
                    let parts = line.split(separator: " ", maxSplits: 3)
                    try #require(parts.count == 4)
                    let name = String(parts[2])
                    if parts[1] == "TYPE" {
                        try #require(types.updateValue(String(parts[3]), forKey: name) == nil, "one TYPE a name")
                        try #require(!seen.contains(name), "TYPE before the samples")
                    } else {
                        try #require(parts[1] == "HELP")
                        try #require(help.updateValue(String(parts[3]), forKey: name) == nil, "one HELP a name")
                    }
                    continue
                }
                let (sample, value) = try Self.sample(String(line))
                seen.insert(sample.name)
                try #require(samples.updateValue(value, forKey: sample) == nil, "one sample a series")
            }
        }

        private static func sample(_ line: String) throws -> (Sample, Double) {
            let match = try #require(
                line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)/), "a sample: \(line)")
            var labels: [String: String] = [:]
            var rest = (match.2 ?? "")[...]
            while !rest.isEmpty {
                let pair = try #require(
                    rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)",?/), "labels: \(line)")
                let value = pair.2.replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
                    .replacing("\\\\", with: "\\")
                labels[String(pair.1)] = String(value)
                rest = rest[pair.range.upperBound...]
            }
            let value = try #require(match.3 == "+Inf" ? .infinity : Double(match.3))
            return (Sample(name: String(match.1), labels: labels), value)
        }

        subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? {
            samples[Sample(name: name, labels: labels)]
        }
    }

    @Test("counters add up over all threads")
    func counter() async throws {
        let registry = PrometheusRegistry()
        await withDiscardingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    // The same series each time it is made.
                    let counter = Counter(label: "jobs", dimensions: [("state", "done")], factory: registry)
                    let floating = FloatingPointCounter(label: "cost", factory: registry)
                    for _ in 0..<1000 {
                        counter.increment()
                        floating.increment(by: 0.5)
                    }
                }
            }
        }
        let text = try Exposition(registry.text())
        #expect(text["jobs_total", ["state": "done"]] == 8000)
        #expect(text["cost_total"] == 4000)
        #expect(text.types["jobs_total"] == "counter")
        #expect(text.help["jobs_total"] != nil)
    }

    @Test("gauges go up and down")
    func gauge() throws {
        let registry = PrometheusRegistry()
        let meter = Meter(label: "queue", factory: registry)
        meter.set(5)
        meter.increment(by: 2.5)
        meter.decrement()
        let gauge = Recorder(label: "level", dimensions: [], aggregate: false, factory: registry)
        gauge.record(3)
        gauge.record(-1)
        registry.gauge("asked") { 42 }
        registry.gauge("silent") { nil }
        let text = try Exposition(registry.text())
        #expect(text["queue"] == 6.5)
        #expect(text["level"] == -1)
        #expect(text.types["level"] == "gauge")
        #expect(text["asked"] == 42)
        #expect(text["silent"] == nil)
    }

    @Test("a timer is a histogram of seconds with cumulative buckets")
    func timer() throws {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "http_request_duration", factory: registry)
        timer.recordMilliseconds(3)
        timer.recordMilliseconds(30)
        timer.recordSeconds(60)
        let text = try Exposition(registry.text())
        let name = "http_request_duration_seconds"
        #expect(text.types[name] == "histogram")
        #expect(text["\(name)_bucket", ["le": "0.005"]] == 1)
        #expect(text["\(name)_bucket", ["le": "0.025"]] == 1)
        #expect(text["\(name)_bucket", ["le": "0.05"]] == 2)
        #expect(text["\(name)_bucket", ["le": "10"]] == 2)
        #expect(text["\(name)_bucket", ["le": "+Inf"]] == 3)
        #expect(text["\(name)_count"] == 3)
        let sum = try #require(text["\(name)_sum"])
        #expect(abs(sum - 60.033) < 1e-9)
    }

    @Test("a value on a bound belongs to that bucket")
    func bound() throws {
        let registry = PrometheusRegistry()
        Recorder(label: "rows", factory: registry).record(64)
        let text = try Exposition(registry.text())
        #expect(text["rows_bucket", ["le": "16"]] == 0)
        #expect(text["rows_bucket", ["le": "64"]] == 1)
    }

    @Test("names and labels are made valid, and label values escaped")
    func escaping() throws {
        let registry = PrometheusRegistry()
        let hostile = "a\"b\\c\nd} 1\n# TYPE x counter"
        Counter(label: "9-bad.name!", dimensions: [("le", hostile), ("__own", "x"), ("a b", "é")], factory: registry)
            .increment()
        let text = try Exposition(registry.text())
        #expect(text["_9_bad_name__total", ["label_le": hostile, "label___own": "x", "a_b": "é"]] == 1)
        #expect(text.types.count == 2)
    }

    @Test("a label with arbitrary values does not fill the memory")
    func cardinality() throws {
        let registry = PrometheusRegistry()
        for number in 0..<(PrometheusRegistry.maximumSeriesPerName + 10) {
            Counter(label: "paths", dimensions: [("path", "\(number)")], factory: registry).increment()
        }
        let text = try Exposition(registry.text())
        #expect(text.samples.keys.count { $0.name == "paths_total" } == PrometheusRegistry.maximumSeriesPerName)
        #expect(text["metrics_series_left_out_total"] == 10)
    }

    @Test("a name has one kind: the second is omitted, and the text stays valid")
    func kinds() throws {
        let registry = PrometheusRegistry()
        Counter(label: "thing_total", factory: registry).increment()
        Meter(label: "thing_total", factory: registry).set(5)
        let text = try Exposition(registry.text())
        #expect(text["thing_total"] == 1)
    }

    @Test(
        "the process exports what the kernel knows about it",
        .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat")))
    func process() throws {
        let registry = PrometheusRegistry()
        ProcessMetrics.register(in: registry)
        let text = try Exposition(registry.text())
        #expect(try #require(text["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(text["process_open_fds"]) >= 3)
        #expect(try #require(text["process_cpu_seconds_total"]) >= 0)
        let start = try #require(text["process_start_time_seconds"])
        #expect(start < Date().timeIntervalSince1970 + 60)
        #expect(start > Date().timeIntervalSince1970 - 30 * 86_400)
    }

    @Test("a process with an unusual name is read all the same")
    func stat() throws {
        let fields = (4...24).map(String.init).joined(separator: " ")
        let status = try #require(
            ProcessMetrics.Status(stat: "1 (a ) b) S \(fields)", ticksPerSecond: 100, pageBytes: 4096))
        #expect(status.cpuSeconds == (14 + 15) / 100.0)
        #expect(status.threads == 20)
        #expect(status.residentBytes == 24 * 4096)
    }
}
