import Testing

@testable import ServiceKit

@Suite("Traces")
struct TraceContextTests {
    private static let sample = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("a traceparent survives a round trip")
    func roundTrip() throws {
        let trace = try #require(TraceContext(traceparent: Self.sample))
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.isSampled)
        #expect(trace.traceparent == Self.sample)
    }

    @Test("a later version is read as far as we know it")
    func laterVersion() throws {
        #expect(TraceContext(traceparent: "cc" + Self.sample.dropFirst(2) + "-what-comes") != nil)
    }

    @Test(
        "an invalid traceparent is ignored",
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

    @Test("a child belongs to the same trace, with a span of its own")
    func child() throws {
        let trace = try #require(TraceContext(traceparent: Self.sample))
        let child = trace.child()
        #expect(child.traceID == trace.traceID && child.isSampled)
        #expect(child.traceparent != trace.traceparent)
        #expect(TraceContext(traceparent: child.traceparent) == child)
    }
}
