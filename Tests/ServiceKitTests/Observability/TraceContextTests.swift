import Testing
import Tracing

@testable import ServiceKit

@Suite("Traces")
struct TraceContextTests {
    private static let sample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("a traceparent is read and written alike")
    func roundTrip() throws {
        let trace = try #require(TraceContext(traceparent: Self.sample))
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.spanID == "b7ad6b7169203331")
        #expect(trace.isSampled)
        #expect(trace.traceparent == Self.sample)
    }

    @Test("a later version is read as far as we know it")
    func laterVersion() throws {
        #expect(TraceContext(traceparent: "cc" + Self.sample.dropFirst(2) + "-what-comes") != nil)
    }

    @Test(
        "what is no traceparent is ignored",
        arguments: [
            "", "00", sample + "-more", sample + "0", "ff" + sample.dropFirst(2), sample.uppercased(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319x-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ])
    func ignored(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test("a child is of the same trace, with a span of its own")
    func child() {
        let root = TraceContext.root()
        let child = root.child()
        #expect(child.traceID == root.traceID)
        #expect(child.spanID != root.spanID)
        #expect(TraceContext(traceparent: root.traceparent) == root)
    }

    private struct Dictionary: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    @Test("the trace goes from the caller's header to the next one's")
    func propagation() throws {
        let tracer = TraceTracer()
        var context = InstrumentationContext.topLevel
        tracer.extract(["traceparent": Self.sample], into: &context, using: Dictionary())
        var out: [String: String] = [:]
        tracer.withSpan("step", context: context) { span in
            tracer.inject(span.context, into: &out, using: Dictionary())
        }
        let passed = try #require(TraceContext(traceparent: out["traceparent"] ?? ""))
        #expect(passed.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(passed.spanID != "b7ad6b7169203331")
        #expect(passed.isSampled)
    }
}
