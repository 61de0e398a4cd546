import ClubProtocol
package import Postgres
import Synchronization

/// Writes a response of many lines (NDJSON). Writing waits for a client that reads slowly.
package struct LineWriter<Line: Codable & Sendable>: Sendable {
    let output: LineOutput

    package func write(_ line: Line) async throws {
        let bytes = try WireJSON.encode(line)
        try await output.append { buffer in
            buffer.append(contentsOf: bytes)
            buffer.append(UInt8(ascii: "\n"))
        }
    }

    /// Each row as one line, straight from the server's bytes.
    package func write(rows: Rows) async throws {
        var start = 0
        while start < rows.count {
            // In batches, so that a large result is not copied as a whole before any of it is sent.
            let range = start..<min(start + 100, rows.count)
            try await output.append { rows.writeJSONLines(range: range, into: &$0) }
            start = range.upperBound
        }
    }
}

/// Writes a text response piece by piece. Writing waits for a client that reads slowly.
package struct TextWriter: Sendable {
    let output: LineOutput

    /// Appends a piece to the output.
    package func write(_ append: (inout [UInt8]) -> Void) async throws {
        try await output.append(append)
    }
}

/// The outgoing bytes of one stream: the head is sent with the first 32 KiB, or at the end.
///
/// Waits for slow readers, until the time limit of a stream is reached.
final class LineOutput: Sendable {
    private static let chunk = 32 << 10
    private struct State {
        var buffer: [UInt8] = []
        var begun = false
    }

    /// Only the head was requested, and it is known now: nothing that follows is sent.
    struct HeadOnly: Error {}

    let head: RawResponse
    private let sink: any ResponseSink
    private let end: ContinuousClock.Instant
    private let isHeadOnly: Bool
    private let state = Mutex(State())

    /// - Parameter isHeadOnly: whether it is written for its head only, and nothing is sent (RFC 9110, 9.3.2).
    init(head: RawResponse, sink: any ResponseSink, end: ContinuousClock.Instant, isHeadOnly: Bool = false) {
        self.head = head
        self.sink = sink
        self.end = end
        self.isHeadOnly = isHeadOnly
    }

    /// Whether bytes have been sent, or would have been, so that an error can no longer become a problem document.
    var hasBegun: Bool { state.withLock { $0.begun } }

    func append(_ write: (inout [UInt8]) -> Void) async throws {
        let isFull = state.withLock { state in
            write(&state.buffer)
            return state.buffer.count >= Self.chunk
        }
        if isFull { try await flush() }
    }

    /// The response to HEAD for a stream of more than one chunk, without a length: that is known only once everything
    /// is written. Nil if the stream itself is requested, or is not that long.
    var headAlone: RawResponse? {
        guard isHeadOnly, hasBegun else { return nil }
        var answer = head
        answer.omitsLength = true
        return answer
    }

    /// A stream that fits in one chunk is sent as an ordinary response, with its length.
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
