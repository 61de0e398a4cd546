import Foundation
import Logging
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Log lines")
struct LogLineTests {
    /// Collects what a handler writes.
    final class Lines: Sendable {
        private let bytes = Mutex<[[UInt8]]>([])
        var all: [String] { bytes.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }
        func append(_ line: [UInt8]) { bytes.withLock { $0.append(line) } }
    }

    private func logger(_ format: LogFormat, _ lines: Lines) -> Logger {
        Logger(label: "test") { label in
            LineLogHandler(label: label, service: "directory", level: .debug, format: format) { lines.append($0) }
        }
    }

    private static let hostile =
        "a\u{0}b\u{1B}[31m\r\n{\"level\":\"info\"}\t\"\\ \u{85}\u{2028}\u{202E}gnp.exe\u{7F} é 😀"

    @Test("one event is one line, whatever it contains", arguments: LogFormat.allCases)
    func oneLine(format: LogFormat) throws {
        let lines = Lines()
        let logger = logger(format, lines)
        logger.info("\(Self.hostile)", metadata: ["name\n": "\(Self.hostile)", "list": ["\n", "b"]])
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        #expect(line.hasSuffix("\n"))
        for scalar in line.dropLast().unicodeScalars {
            #expect(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value))
            #expect(!(0x2028...0x202E).contains(scalar.value))
        }
    }

    @Test("a JSON line gives back exactly what was logged")
    func roundTrip() throws {
        let lines = Lines()
        logger(.json, lines).notice("\(Self.hostile)", metadata: ["name": "\(Self.hostile)"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(lines.all.joined().utf8)) as? [String: Any])
        #expect(object["message"] as? String == Self.hostile)
        #expect(object["name"] as? String == Self.hostile)
        #expect(object["level"] as? String == "notice")
        #expect(object["service"] as? String == "directory")
        #expect(object["logger"] as? String == "test")
    }

    @Test("metadata is flattened; numbers and booleans keep their types; our own keys are not overwritten")
    func metadata() throws {
        let lines = Lines()
        logger(.json, lines).info(
            "m",
            metadata: [
                "a": ["b": ["c": "deep"]], "count": .stringConvertible(3), "ok": .stringConvertible(true),
                "level": "forged", "list": ["x", "y"],
            ])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(lines.all.joined().utf8)) as? [String: Any])
        #expect(object["a.b.c"] as? String == "deep")
        #expect(object["count"] as? Int == 3)
        #expect(object["ok"] as? Bool == true)
        #expect(object["level"] as? String == "info")
        #expect(object["metadata.level"] as? String == "forged")
        #expect(object["list"] as? String == "x, y")
    }

    @Test("a huge value is truncated")
    func huge() throws {
        let lines = Lines()
        logger(.json, lines).info("\(String(repeating: "x", count: 1_000_000))")
        #expect(lines.all.joined().utf8.count < 2 * LogLine.maximumValueBytes)
    }

    @Test("a line of text quotes values with spaces")
    func text() throws {
        let lines = Lines()
        logger(.text, lines).warning("hello", metadata: ["name": "two words", "id": "7"])
        #expect(lines.all.joined().hasSuffix("warning  test: hello id=7 name=\"two words\"\n"))
    }

    @Test("log lines of traced work include the trace")
    func trace() throws {
        let lines = Lines()
        let trace = try #require(
            TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
        TraceContext.$current.withValue(trace) { logger(.json, lines).info("m") }
        #expect(lines.all.joined().contains("\"traceID\":\"0af7651916cd43dd8448eb211c80319c\""))
    }
}
