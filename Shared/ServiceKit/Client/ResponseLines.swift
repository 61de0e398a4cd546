import AsyncHTTPClient
package import ClubProtocol
package import NIOCore
import NIOHTTP1

/// The lines of a streamed response (NDJSON), read on demand: a slow reader slows the peer down.
///
/// Ends normally only when the peer has marked the end; a broken connection and an incomplete last line are errors.
/// Each iteration sends the request again.
package struct ResponseLines<Element: Decodable & Sendable>: AsyncSequence, Sendable {
    package typealias Failure = any Error

    let open: @Sendable () async throws -> LineSource

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(open: open) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let open: @Sendable () async throws -> LineSource
        private var source: LineSource?
        private var lines = LineBuffer()
        private var isOver = false

        init(open: @escaping @Sendable () async throws -> LineSource) {
            self.open = open
        }

        package mutating func next() async throws -> Element? {
            try await next(isolation: #isolation)
        }

        package mutating func next(isolation: isolated (any Actor)?) async throws -> Element? {
            guard !isOver else { return nil }
            do {
                let source: LineSource
                if let opened = self.source {
                    source = opened
                } else {
                    source = try await open()
                    self.source = source
                }
                while true {
                    if let line = try lines.next() { return try source.decode(Element.self, from: line) }
                    if let chunk = try await source.chunk() {
                        lines.append(chunk)
                    } else {
                        guard lines.isEmpty else { throw LineBuffer.Truncated() }
                        finish()
                        return nil
                    }
                }
            } catch {
                let name = source?.client.name
                finish()
                switch error {
                case is LineBuffer.Truncated:
                    throw name.map { ServiceClientError.unavailable($0, reason: "the stream was cut off") } ?? error
                case is LineBuffer.TooLong:
                    throw name.map { ServiceClientError.malformed($0) } ?? error
                default: throw error
                }
            }
        }

        private mutating func finish() {
            isOver = true
            source = nil
        }
    }
}

extension ServiceClient {
    /// The lines of a streamed response; the request is sent when the first line is read.
    package func stream<E: Endpoint>(_ request: Request<E>, timeout: Duration? = nil) -> ResponseLines<E.Response> {
        ResponseLines { try await source(request, timeout) }
    }

    /// Reads a document piece by piece, for a table that is too long to hold in memory.
    ///
    /// - Parameter take: receives each piece as it arrives.
    /// - Throws: ``ServiceClientError``, in which case the pieces taken so far are not the whole; errors of `take`.
    package func download<E: Endpoint>(
        _ request: Request<E>, timeout: Duration? = nil, _ take: (ByteBuffer) throws -> Void
    ) async throws where E.Response: RawDocument {
        let source = try await source(request, timeout)
        do {
            while let chunk = try await source.chunk() { try take(chunk) }
        } catch is LineBuffer.Truncated {
            throw ServiceClientError.unavailable(name, reason: "the stream was cut off")
        }
    }

    private func source<E: Endpoint>(_ request: Request<E>, _ timeout: Duration?) async throws -> LineSource {
        try await counted {
            let place = try gate.enter()
            let deadline = try deadline(timeout ?? policy.streamTimeout)
            let call = try OutgoingCall(request, to: self)
            let response = try await open(call, until: deadline)
            // Without one of these the end of the connection is the end of the response, and a truncated one looks
            // complete.
            guard
                response.headers.contains(name: "Content-Length")
                    || response.headers[canonicalForm: "Transfer-Encoding"].last == "chunked"
            else { throw ServiceClientError.malformed(name) }
            return LineSource(client: self, place: place, deadline: deadline, body: response.body)
        }
    }
}

/// The body of one streamed response, piece by piece. Releasing it ends the call.
struct LineSource: Sendable {
    let client: ServiceClient
    private let place: PeerGate.Place
    private let deadline: ContinuousClock.Instant
    private let chunks: Chunks

    init(
        client: ServiceClient, place: PeerGate.Place, deadline: ContinuousClock.Instant, body: HTTPClientResponse.Body
    ) {
        self.client = client
        self.place = place
        self.deadline = deadline
        chunks = Chunks(body)
    }

    /// The next piece; nil at the end as marked by the peer.
    func chunk() async throws -> ByteBuffer? {
        let limit = min(deadline, .now.advanced(by: client.policy.silence))
        do {
            return try await withDeadline(limit) { [chunks] in try await chunks.next() }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw error is DeadlinePassed ? ServiceClientError.deadline(client.name) : LineBuffer.Truncated()
        }
    }

    func decode<Element: Decodable>(_ type: Element.Type, from line: ByteBuffer) throws -> Element {
        do {
            return try LenientJSON.decode(type, from: line.readableBytesView)
        } catch {
            throw ServiceClientError.malformed(client.name)
        }
    }

    /// Keeps the body's iterator between reads, which may come from different tasks.
    private actor Chunks {
        private var iterator: HTTPClientResponse.Body.AsyncIterator

        init(_ body: HTTPClientResponse.Body) {
            iterator = body.makeAsyncIterator()
        }

        func next() async throws -> ByteBuffer? {
            var iterator = iterator
            defer { self.iterator = iterator }
            return try await iterator.next(isolation: self)
        }
    }
}

/// Splits bytes into lines.
struct LineBuffer: Sendable {
    /// The bytes ended in the middle of a line.
    struct Truncated: Error {}
    struct TooLong: Error {}

    static let maximumLineBytes = 4 << 20

    private var buffer = ByteBuffer()
    /// How many of the readable bytes are known to contain no line feed.
    private var searched = 0

    var isEmpty: Bool { buffer.readableBytes == 0 }

    mutating func append(_ chunk: ByteBuffer) {
        if isEmpty {
            buffer = chunk
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(chunk)
        }
    }

    /// The next whole line without its line feed; empty lines are skipped. Nil when there is none yet.
    mutating func next() throws -> ByteBuffer? {
        while let end = buffer.readableBytesView.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) {
            searched = 0
            let line = buffer.readSlice(length: end - buffer.readerIndex)
            buffer.moveReaderIndex(forwardBy: 1)
            if let line, line.readableBytes > 0 { return line }
        }
        searched = buffer.readableBytes
        guard searched <= Self.maximumLineBytes else { throw TooLong() }
        return nil
    }
}
