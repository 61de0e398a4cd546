package import NIOCore

/// The body of an upload, in the pieces in which it arrives; the client is slowed down to the speed of who reads.
///
/// Throws while it is read: 413 beyond the limit, 408 when the client stalls, and an error when it goes away. To be
/// iterated once.
package struct UploadBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    typealias Producer = NIOThrowingAsyncSequenceProducer<
        ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, Demand
    >

    /// Tells the connection when more may be read.
    struct Demand: NIOAsyncSequenceProducerDelegate {
        let more: @Sendable () -> Void

        func produceMore() { more() }
        func didTerminate() { more() }
    }

    fileprivate enum Source: Sendable {
        case bytes(ByteBuffer)
        case producer(Producer)
    }

    private let source: Source

    init(bytes: [UInt8]) {
        source = .bytes(ByteBuffer(bytes: bytes))
    }

    private init(producer: Producer) {
        source = .producer(producer)
    }

    /// A body and the end where the connection puts in what arrives.
    static func make(more: @escaping @Sendable () -> Void) -> (UploadBody, Producer.Source) {
        let made = Producer.makeSequence(
            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8), finishOnDeinit: false,
            delegate: Demand(more: more))
        return (UploadBody(producer: made.sequence), made.source)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private var bytes: ByteBuffer?
        private let iterator: Producer.AsyncIterator?

        fileprivate init(_ source: Source) {
            switch source {
            case .bytes(let bytes):
                self.bytes = bytes.readableBytes > 0 ? bytes : nil
                iterator = nil
            case .producer(let producer):
                bytes = nil
                iterator = producer.makeAsyncIterator()
            }
        }

        package mutating func next() async throws -> ByteBuffer? {
            if let iterator { return try await iterator.next() }
            defer { bytes = nil }
            return bytes
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source) }
}
