import ClubProtocol
package import Postgres
import Synchronization

/// Writes an answer of many lines (NDJSON). Writing waits for a client that reads slowly.
package struct LineWriter<Line: Codable & Sendable>: Sendable {
    let output: LineOutput

    package func write(_ line: Line) async throws {
        let bytes = try WireJSON.encode(line)
        try await output.append { buffer in
            buffer.append(contentsOf: bytes)
            buffer.append(UInt8(ascii: "\n"))
        }
    }

    /// Each row as one line, straight from libpq's bytes.
    package func write(rows: Rows) async throws {
        var start = 0
        while start < rows.count {
            // In stretches, so that a large result is not copied as a whole before any of it goes out.
            let range = start..<min(start + 100, rows.count)
            try await output.append { rows.writeJSONLines(range: range, into: &$0) }
            start = range.upperBound
        }
    }
}

/// Writes an answer of text piece by piece. Writing waits for a client that reads slowly.
package struct TextWriter: Sendable {
    let output: LineOutput

    /// Lets a piece be appended to what goes out.
    package func write(_ append: (inout [UInt8]) -> Void) async throws {
        try await output.append(append)
    }
}

/// The bytes of one stream on their way out: the head goes with the first 32 KiB, or with the end.
///
/// Whoever reads slowly is waited for, until the stream has taken all the time that one may take.
final class LineOutput: Sendable {
    private static let chunk = 32 << 10
    private struct State {
        var buffer: [UInt8] = []
        var begun = false
    }

    /// Nothing but the head was asked for, and it is decided: what would be written from here on is not sent.
    struct HeadOnly: Error {}

    let head: RawResponse
    private let sink: any ResponseSink
    private let end: ContinuousClock.Instant
    private let isHeadOnly: Bool
    private let state = Mutex(State())

    /// - Parameter isHeadOnly: whether it is written for its head, to which nothing is sent (RFC 9110, 9.3.2).
    init(head: RawResponse, sink: any ResponseSink, end: ContinuousClock.Instant, isHeadOnly: Bool = false) {
        self.head = head
        self.sink = sink
        self.end = end
        self.isHeadOnly = isHeadOnly
    }

    /// Whether bytes have gone out, or would have, so that an error can no longer become a problem document.
    var hasBegun: Bool { state.withLock { $0.begun } }

    func append(_ write: (inout [UInt8]) -> Void) async throws {
        let isFull = state.withLock { state in
            write(&state.buffer)
            return state.buffer.count >= Self.chunk
        }
        if isFull { try await flush() }
    }

    /// The answer to who asked for the head alone, where there is more than one chunk: how long it would be is known when it has been
    /// written. Nil where the stream itself is asked for, or is not that long.
    var headAlone: RawResponse? {
        guard isHeadOnly, hasBegun else { return nil }
        var answer = head
        answer.omitsLength = true
        return answer
    }

    /// A stream that fits in one chunk goes out as an ordinary answer, with its length.
    func end() async throws -> Completion {
        guard hasBegun else {
            var answer = head
            answer.body = state.withLock { $0.buffer }
            return .answer(answer)
        }
        try await flush()
        return .streamed
    }

    private func flush() async throws {
        guard .now < end else { throw Problem(.deadline) }
        let (bytes, isFirst) = state.withLock { state in
            defer {
                state.buffer.removeAll(keepingCapacity: true)
                state.begun = true
            }
            return (state.buffer, !state.begun)
        }
        guard !isHeadOnly else { throw HeadOnly() }
        if isFirst { try await sink.begin(head) }
        if !bytes.isEmpty { try await sink.write(bytes) }
    }
}
