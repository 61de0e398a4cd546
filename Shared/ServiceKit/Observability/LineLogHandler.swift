import ClubProtocol
package import Logging

/// Writes each event as one line, JSON or text.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let service: String
    private let format: LogFormat
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - service: the service named on every line.
    ///   - write: takes the bytes of a whole line, including the newline; standard error by default, something else in
    ///     tests.
    package init(
        label: String, service: String, level: Logger.Level, format: LogFormat,
        metadataProvider: Logger.MetadataProvider? = .task,
        write: @escaping @Sendable ([UInt8]) -> Void = StandardError.write
    ) {
        self.label = label
        self.service = service
        self.format = format
        self.metadataProvider = metadataProvider
        self.write = write
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { own, _ in own } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(error)" }
        let time = Timestamp.now.text
        let message = event.message.description
        switch format {
        case .json:
            write(
                LogLine.json(
                    time: time, level: event.level, service: service, label: label, message: message, metadata: all))
        case .text:
            write(LogLine.text(time: time, level: event.level, label: label, message: message, metadata: all))
        }
    }
}

extension Logger.MetadataProvider {
    /// The identifiers of the request and trace of the current task.
    package static let task = Logger.MetadataProvider {
        var metadata: Logger.Metadata = [:]
        if let requestID = RequestID.current { metadata["requestID"] = .string(requestID) }
        if let trace = TraceContext.current { metadata["traceID"] = .string(trace.traceID) }
        return metadata
    }
}
