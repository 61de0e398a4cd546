/// The text exposition format of Prometheus, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var bytes: [UInt8] = []

    mutating func header(_ name: String, type: String, help: String) {
        bytes.append(contentsOf: "# HELP \(name) ".utf8)
        escape(help, quotes: false)
        bytes.append(contentsOf: "\n# TYPE \(name) \(type)\n".utf8)
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            for (index, label) in labels.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: label.0.utf8)
                bytes.append(contentsOf: "=\"".utf8)
                escape(label.1, quotes: true)
                bytes.append(UInt8(ascii: "\""))
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func escape(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\"") where quotes: bytes.append(contentsOf: "\\\"".utf8)
            default: bytes.append(byte)
            }
        }
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return value.description
    }

    /// A valid metric name: characters outside `[a-zA-Z0-9_:]` become `_`.
    static func metricName(_ label: String) -> String { name(label, colons: true) }

    /// A valid label name that Prometheus does not reserve.
    static func labelName(_ label: String) -> String {
        let text = name(label, colons: false)
        return text == "le" || text.hasPrefix("__") ? "label_\(text)" : text
    }

    private static func name(_ label: String, colons: Bool) -> String {
        var bytes: [UInt8] = label.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                byte
            case UInt8(ascii: ":") where colons: byte
            default: UInt8(ascii: "_")
            }
        }
        if let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
            return String(decoding: bytes, as: UTF8.self)
        }
        bytes.insert(UInt8(ascii: "_"), at: 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}
