import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The kernel's figures about this process, under the names used by Prometheus' own clients. Linux only; elsewhere the
/// metrics are absent.
enum ProcessMetrics {
    static func register(in registry: PrometheusRegistry) {
        registry.gauge("process_resident_memory_bytes") { status()?.residentBytes }
        registry.gauge("process_virtual_memory_bytes") { status()?.virtualBytes }
        registry.counter("process_cpu_seconds_total") { status()?.cpuSeconds }
        registry.gauge("process_threads") { status()?.threads }
        registry.gauge("process_start_time_seconds") {
            guard let status = status(), let boot = bootTime() else { return nil }
            return boot + status.startSeconds
        }
        registry.gauge("process_open_fds") { openDescriptors() }
        registry.gauge("process_max_fds") { maximumDescriptors() }
    }

    struct Status {
        var cpuSeconds: Double
        var threads: Double
        var startSeconds: Double
        var virtualBytes: Double
        var residentBytes: Double

        /// Reads `/proc/self/stat` (proc(5)).
        init?(stat: String, ticksPerSecond: Double, pageBytes: Double) {
            // The second field is the name in parentheses, which may contain anything; what follows is plain.
            guard let end = stat.lastIndex(of: ")") else { return nil }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            func field(_ number: Int) -> Double? { fields.count > number - 3 ? Double(fields[number - 3]) : nil }
            guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
                let virtual = field(23), let resident = field(24), ticksPerSecond > 0
            else { return nil }
            cpuSeconds = (user + system) / ticksPerSecond
            self.threads = threads
            startSeconds = start / ticksPerSecond
            virtualBytes = virtual
            residentBytes = resident * pageBytes
        }
    }

    static func status() -> Status? {
        #if os(Linux)
            guard let stat = read("/proc/self/stat") else { return nil }
            return Status(
                stat: stat, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))),
                pageBytes: Double(sysconf(Int32(_SC_PAGESIZE))))
        #else
            return nil
        #endif
    }

    private static func bootTime() -> Double? {
        read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) }
    }

    private static func openDescriptors() -> Double? {
        // One of them is the descriptor that is used to list them.
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count - 1) }
    }

    private static func maximumDescriptors() -> Double? {
        guard let limits = read("/proc/self/limits"),
            let line = limits.split(separator: "\n").first(where: { $0.hasPrefix("Max open files") })
        else { return nil }
        return line.split(separator: " ").compactMap { Double($0) }.first
    }

    private static func read(_ path: String) -> String? {
        guard let bytes = try? OpenFile(reading: path).readToEnd(atMost: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
