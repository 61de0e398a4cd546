import Instrumentation
import NIOHTTP1
import ServiceContextModule

/// The identifier of the request that this task works for: set by the HTTP stack, sent on as `X-Request-ID`.
package enum RequestID {
    @TaskLocal package static var current: String?
}

/// Writes the trace of this task into the header of a call.
struct TraceInjector: Injector {
    func inject(_ value: String, forKey key: String, into headers: inout HTTPHeaders) {
        headers.replaceOrAdd(name: key, value: value)
    }

    static func inject(into headers: inout HTTPHeaders) {
        guard let context = ServiceContext.current else { return }
        InstrumentationSystem.instrument.inject(context, into: &headers, using: TraceInjector())
    }
}
