import Foundation
import Logging
import Synchronization
package import Tracing

/// Carries the trace of a request from its caller to those it calls, by `traceparent`. Records nothing: a span that ends
/// is a line in the log at debug level, which has the trace's identifier like every other line.
package struct TraceTracer: Tracer {
    private static let key = "traceparent"

    package init() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: Self.key, from: carrier), let trace = TraceContext(traceparent: text)
        else { return }
        context.trace = trace
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.trace else { return }
        injector.inject(trace.traceparent, forKey: Self.key, into: &carrier)
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TraceSpan {
        var context = context()
        context.trace = context.trace?.child() ?? .root()
        return TraceSpan(name: operationName, context: context, began: instant().nanosecondsSinceEpoch)
    }

    package func forceFlush() {}
}

/// One step of a trace.
package final class TraceSpan: Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var failed = false
        var ended = false
    }

    package let context: InstrumentationContext
    private let began: UInt64
    private let state: Mutex<State>

    init(name: String, context: InstrumentationContext, began: UInt64) {
        self.context = context
        self.began = began
        state = Mutex(State(name: name))
    }

    package var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    package var isRecording: Bool { state.withLock { !$0.ended } }

    package func setStatus(_ status: SpanStatus) {
        state.withLock { $0.failed = status.code == .error }
    }

    package func addEvent(_ event: SpanEvent) {}

    package func addLink(_ link: SpanLink) {}

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.failed = true }
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let now = instant().nanosecondsSinceEpoch
        let (first, name, failed) = state.withLock { state in
            defer { state.ended = true }
            return (!state.ended, state.name, state.failed)
        }
        guard first else { return }
        let microseconds = Int(now > began ? (now - began) / 1000 : 0)
        Self.logger.debug(
            "span ended",
            metadata: [
                "span": "\(name)", "failed": .stringConvertible(failed),
                "microseconds": .stringConvertible(microseconds),
                "traceID": "\(context.trace?.traceID ?? "")", "spanID": "\(context.trace?.spanID ?? "")",
            ])
    }

    private static let logger = Logger(label: "trace")
}
