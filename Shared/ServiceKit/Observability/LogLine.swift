import Logging

/// The format of log lines.
package enum LogFormat: String, CaseIterable, Sendable {
    /// One JSON object per event, for machines.
    case json
    /// One line of text per event, for people at a terminal.
    case text
}

/// Builds the bytes of one log event: exactly one line, whatever the message or the metadata contain.
struct LogLine {
    /// Longer values are cut: one huge value must not flood the log.
    static let maximumValueBytes = 8 * 1024

    private(set) var bytes: [UInt8] = []

    // MARK: JSON

    /// `{"time":…,"level":…,"service":…,"logger":…,"message":…,<metadata, flattened>}`
    static func json(
        time: String, level: Logger.Level, service: String, label: String, message: String,
        metadata: Logger.Metadata
    ) -> [UInt8] {
        var line = LogLine()
        line.bytes.reserveCapacity(256)
        line.bytes.append(UInt8(ascii: "{"))
        line.member("time", time, first: true)
        line.member("level", level.rawValue)
        line.member("service", service)
        line.member("logger", label)
        line.member("message", message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            // The log's own keys are reserved.
            line.flatten(reserved.contains(key) ? "metadata.\(key)" : key, value)
        }
        line.bytes.append(contentsOf: "}\n".utf8)
        return line.bytes
    }

    private static let reserved: Set<String> = ["time", "level", "service", "logger", "message"]

    private mutating func flatten(_ key: String, _ value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): member(key, text)
        case .stringConvertible(let value):
            if let literal = Self.literal(value) {
                name(key)
                bytes.append(contentsOf: literal.utf8)
            } else {
                member(key, value.description)
            }
        case .dictionary(let members):
            for (inner, value) in members.sorted(by: { $0.key < $1.key }) { flatten("\(key).\(inner)", value) }
        case .array(let values):
            member(key, values.map(Self.plain).joined(separator: ", "))
        }
    }

    /// Numbers and booleans keep their type, so that a log store can compare them.
    private static func literal(_ value: any CustomStringConvertible) -> String? {
        switch value {
        case let value as Int: value.description
        case let value as Int64: value.description
        case let value as UInt64: value.description
        case let value as Bool: value.description
        case let value as Double where value.isFinite: value.description
        default: nil
        }
    }

    private mutating func member(_ key: String, _ value: String, first: Bool = false) {
        name(key, first: first)
        bytes.append(UInt8(ascii: "\""))
        escape(value, quotes: true)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func name(_ key: String, first: Bool = false) {
        if !first { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        escape(key, quotes: true)
        bytes.append(contentsOf: "\":".utf8)
    }

    // MARK: Text

    /// `2026-11-22T23:14:16.123Z info  identity: message key=value …`
    static func text(
        time: String, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) -> [UInt8] {
        var line = LogLine()
        line.bytes.append(contentsOf: "\(time) \(level.rawValue)".utf8)
        line.bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(1, 9 - level.rawValue.utf8.count)))
        line.escape(label, quotes: false)
        line.bytes.append(contentsOf: ": ".utf8)
        line.escape(message, quotes: false)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line.bytes.append(UInt8(ascii: " "))
            line.escape(key, quotes: false)
            line.bytes.append(UInt8(ascii: "="))
            let text = plain(value)
            if text.isEmpty || text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) {
                line.bytes.append(UInt8(ascii: "\""))
                line.escape(text, quotes: true)
                line.bytes.append(UInt8(ascii: "\""))
            } else {
                line.escape(text, quotes: false)
            }
        }
        line.bytes.append(UInt8(ascii: "\n"))
        return line.bytes
    }

    private static func plain(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[" + values.map(plain).joined(separator: ", ") + "]"
        case .dictionary(let members):
            "{" + members.sorted { $0.key < $1.key }.map { "\($0.key): \(plain($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }

    // MARK: Escaping

    /// Escapes what could end the line, end the string or control a terminal: control characters (C0, DEL, C1), line
    /// and paragraph separators, and characters that change the writing direction.
    private mutating func escape(_ text: String, quotes: Bool) {
        var count = 0
        for scalar in text.unicodeScalars {
            count += scalar.utf8.count
            guard count <= Self.maximumValueBytes else {
                bytes.append(contentsOf: "…".utf8)
                return
            }
            switch scalar.value {
            case 0x22 where quotes, 0x5C:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(scalar.value))
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                let digits = String(scalar.value, radix: 16)
                bytes.append(contentsOf: "\\u".utf8)
                bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count))
                bytes.append(contentsOf: digits.utf8)
            default:
                bytes.append(contentsOf: scalar.utf8)
            }
        }
    }
}
