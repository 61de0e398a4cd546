import ClubProtocol
import CoreMetrics
package import Logging
import Metrics
import Synchronization

/// The process-wide back ends of the logging and metrics facades. Each can be set once in the life of a process.
package enum Observability {
    private static let logged = Mutex(false)

    /// Where all metrics of this process are kept. The first use of it puts it behind swift-metrics, together with the
    /// metrics of the process itself.
    package static let metrics: PrometheusRegistry = {
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

    /// Sets up logging too: lines on standard error. The first call decides.
    package static func bootstrapLogging(service: String, level: Logger.Level, format: LogFormat) {
        let first = logged.withLock { logged in
            defer { logged = true }
            return !logged
        }
        guard first else { return }
        StandardError.announce { dropped in
            let (time, message) = (Timestamp.now.text, "\(dropped) lines were dropped: nobody read them in time")
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
