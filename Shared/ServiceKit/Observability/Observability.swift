import ClubProtocol
import CoreMetrics
import Logging
import Metrics
import Synchronization

/// The process-wide back ends of the logging and metrics facades. Each can be set only once per process.
enum Observability {
    private static let logged = Mutex(false)

    /// All metrics of this process. The first use installs it as the back end of swift-metrics, and adds the metrics of
    /// the process itself.
    static let metrics: PrometheusRegistry = {
        let registry = PrometheusRegistry()
        ProcessMetrics.register(in: registry)
        registry.counter("log_lines_dropped_total") { Double(StandardError.dropped) }
        MetricsSystem.bootstrap(registry)
        return registry
    }()

    /// Sets up metrics, once; later calls change nothing.
    static func bootstrap() {
        _ = metrics
    }

    /// Sets up logging as well: lines on standard error. Only the first call has an effect.
    static func bootstrapLogging(service: String, level: Logger.Level, format: LogFormat) {
        let first = logged.withLock { logged in
            defer { logged = true }
            return !logged
        }
        guard first else { return }
        StandardError.announce { dropped in
            let (time, message) = (Timestamp.now.text, "\(dropped) lines were dropped: they were not read in time")
            return switch format {
            case .json:
                LogLine.json(
                    time: time, level: .warning, service: service, label: "log", message: message,
                    metadata: ["dropped": .stringConvertible(dropped)])
            case .text: LogLine.text(time: time, level: .warning, label: "log", message: message, metadata: [:])
            }
        }
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(
                    label: label, service: service, level: level, format: format, metadataProvider: provider)
            }, metadataProvider: .task)
    }
}
