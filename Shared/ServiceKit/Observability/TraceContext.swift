/// A position in a trace: the content of the `traceparent` header field (W3C Trace Context, level 1).
struct TraceContext: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64
    private let span: UInt64
    /// Whether the caller records this trace; passed on unchanged.
    let isSampled: Bool

    private init(high: UInt64, low: UInt64, span: UInt64, isSampled: Bool) {
        self.high = high
        self.low = low
        self.span = span
        self.isSampled = isSampled
    }

    /// The trace of the current task, from its request; passed on in calls to other services.
    @TaskLocal static var current: TraceContext?

    /// A span within this one: the same trace, a new span identifier.
    func child() -> TraceContext {
        // All zeros means "none".
        TraceContext(high: high, low: low, span: .random(in: 1 ... .max), isSampled: isSampled)
    }

    /// Parses a `traceparent`; nil for everything that the recommendation tells receivers to ignore.
    init?(traceparent: String) {
        let bytes = Array(traceparent.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hex.read(bytes[0..<2]), version != 0xFF,
            // Version 00 has exactly this length; later ones may continue after a dash.
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
            let high = Hex.read(bytes[3..<19]), let low = Hex.read(bytes[19..<35]), high | low != 0,
            let span = Hex.read(bytes[36..<52]), span != 0, let flags = Hex.read(bytes[53..<55])
        else { return nil }
        self.init(high: high, low: low, span: span, isSampled: flags & 1 == 1)
    }

    /// The value of the header field for the next hop.
    var traceparent: String {
        String(decoding: Array("00-".utf8) + traceBytes + [UInt8(ascii: "-")] + Hex.write(span), as: UTF8.self)
            + (isSampled ? "-01" : "-00")
    }

    /// 32 hexadecimal digits.
    var traceID: String { String(decoding: traceBytes, as: UTF8.self) }

    private var traceBytes: [UInt8] { Hex.write(high) + Hex.write(low) }
}

/// Lower-case hexadecimal, the only form that the recommendation allows.
private enum Hex {
    static func read(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in bytes {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    static func write(_ value: UInt64) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<16).map { digits[Int(value >> UInt64(60 - $0 * 4) & 0xF)] }
    }
}
