package import NIOCore

/// The body of an upload, in pieces as it arrives; the client is slowed down to the speed of the reader.
///
/// Iteration throws 413 beyond the limit, 408 when the client stalls, and an error when it disconnects. Iterate it
/// once.
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

    /// What arrives, its part of the memory for bodies, and the request that waits for it.
    fileprivate struct Arriving: Sendable {
        let producer: Producer
        let reservation: BodyReservation
        let request: RoutedRequest
    }

    fileprivate enum Source: Sendable {
        case bytes(ByteBuffer)
        case arriving(Arriving)
    }

    private let source: Source

    init(bytes: [UInt8]) {
        source = .bytes(ByteBuffer(bytes: bytes))
    }

    private init(_ arriving: Arriving) {
        source = .arriving(arriving)
    }

    /// A body, and the source into which the connection puts what arrives.
    ///
    /// - Parameters:
    ///   - request: releases its place to others while it waits for more.
    ///   - reservation: counts the memory of what is put in, and releases it when that is read.
    static func make(
        for request: RoutedRequest, reservation: BodyReservation, more: @escaping @Sendable () -> Void
    ) -> (UploadBody, Producer.Source) {
        let made = Producer.makeSequence(
            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8), finishOnDeinit: false,
            delegate: Demand(more: more))
        return (UploadBody(Arriving(producer: made.sequence, reservation: reservation, request: request)), made.source)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private var bytes: ByteBuffer?
        private let iterator: Producer.AsyncIterator?
        private let arriving: Arriving?

        fileprivate init(_ source: Source) {
            switch source {
            case .bytes(let bytes):
                self.bytes = bytes.readableBytes > 0 ? bytes : nil
                (iterator, arriving) = (nil, nil)
            case .arriving(let arriving):
                bytes = nil
                self.arriving = arriving
                iterator = arriving.producer.makeAsyncIterator()
            }
        }

        package mutating func next() async throws -> ByteBuffer? {
            if let iterator, let arriving {
                guard let bytes = try await arriving.request.outside({ try await iterator.next() }) else { return nil }
                arriving.reservation.release(bytes.readableBytes)
                return bytes
            }
            defer { bytes = nil }
            return bytes
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source) }
}
