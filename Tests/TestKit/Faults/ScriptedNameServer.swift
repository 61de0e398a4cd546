package import NIOCore
import NIOPosix
import Synchronization

/// A DNS server on loopback, over UDP and TCP on the same port, that answers as a test tells it to.
package final class ScriptedNameServer: Sendable {
    package enum Record: Sendable {
        case mx(Int, String)
        case txt([String])
        /// What follows belongs to this name.
        case alias(String)
    }

    /// A query as it arrived.
    package struct Query: Sendable {
        package var bytes: [UInt8]
        package var isStream = false
        package var port = 0

        package init(bytes: [UInt8], isStream: Bool = false, port: Int = 0) {
            (self.bytes, self.isStream, self.port) = (bytes, isStream, port)
        }

        /// From the name to the class.
        package var question: [UInt8] {
            var end = 12
            while end < bytes.count, bytes[end] != 0 { end += 1 + Int(bytes[end]) }
            return Array(bytes[12..<min(end + 5, bytes.count)])
        }

        package var name: String {
            var labels: [String] = []
            var place = 12
            while place < bytes.count, bytes[place] != 0 {
                labels.append(String(decoding: bytes[(place + 1)...].prefix(Int(bytes[place])), as: UTF8.self))
                place += 1 + Int(bytes[place])
            }
            return labels.joined(separator: ".")
        }

        /// A response with these records.
        ///
        /// - Parameters:
        ///   - minimum: of an SOA record beside them; without one if nil.
        ///   - referral: whether the authority section names a server of the zone.
        package func response(
            _ records: [Record] = [], lifetime: UInt32 = 300, code: UInt8 = 0, minimum: UInt32? = nil,
            referral: Bool = false, isTruncated: Bool = false
        ) -> [UInt8] {
            var owner: [UInt8] = [0xC0, 12]
            var answers: [UInt8] = []
            for record in records {
                switch record {
                case .mx(let preference, let host):
                    answers += Self.record(owner, 15, lifetime, Self.short(preference) + Self.name(host))
                case .txt(let strings):
                    answers += Self.record(
                        owner, 16, lifetime, strings.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) })
                case .alias(let target):
                    answers += Self.record(owner, 5, lifetime, Self.name(target))
                    owner = Self.name(target)
                }
            }
            var authority: [UInt8] = []
            if let minimum {
                let times = [1, 2, 3, 4].flatMap { Self.long($0) } + Self.long(minimum)
                authority += Self.record([0], 6, 86_400, Self.name("ns.example") + Self.name("post.example") + times)
            }
            if referral { authority += Self.record([0], 2, lifetime, Self.name("ns.example")) }
            let flags: [UInt8] = [0x81 | (isTruncated ? 2 : 0), 0x80 | code]
            let counts = [1, records.count, (minimum == nil ? 0 : 1) + (referral ? 1 : 0), 0].flatMap(Self.short)
            return Array(bytes.prefix(2)) + flags + counts + question + answers + authority
        }

        package static func name(_ text: String) -> [UInt8] {
            text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        }

        package static func record(_ owner: [UInt8], _ type: Int, _ lifetime: UInt32, _ data: [UInt8]) -> [UInt8] {
            owner + short(type) + [0, 1] + long(lifetime) + short(data.count) + data
        }

        private static func short(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
        private static func long(_ value: UInt32) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        }
    }

    /// The messages that it sends in response; without one it stays silent over UDP and hangs up over TCP.
    package typealias Script = @Sendable (Query) -> [[UInt8]]

    private struct State: Sendable {
        var queries: [Query] = []
        var pending = 0
        var mostPending = 0
    }

    private let state = Mutex(State())
    private let script: Script
    private let delay: TimeAmount
    private let channels = Mutex<[any Channel]>([])

    private init(script: @escaping Script, delay: TimeAmount) {
        self.script = script
        self.delay = delay
    }

    package var port: Int { channels.withLock { $0.first?.localAddress?.port ?? 0 } }
    package var queries: [Query] { state.withLock { $0.queries } }
    /// How many queries were with it at once.
    package var mostPending: Int { state.withLock { $0.mostPending } }

    /// Runs a server while `body` runs.
    ///
    /// - Parameter delay: between a query and its response.
    package static func run<Result: Sendable>(
        delay: TimeAmount = .zero, _ script: @escaping Script, during body: (ScriptedNameServer) async throws -> Result
    ) async throws -> Result {
        let server = ScriptedNameServer(script: script, delay: delay)
        try await server.bind()
        do {
            let result = try await body(server)
            await server.close()
            return result
        } catch {
            await server.close()
            throw error
        }
    }

    private func bind() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        for attempt in 1... {
            let stream = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(StreamQueries(server: self))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            do {
                let datagrams = try await DatagramBootstrap(group: group)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(DatagramQueries(server: self))
                        }
                    }
                    .bind(host: "127.0.0.1", port: stream.localAddress?.port ?? 0).get()
                channels.withLock { $0 = [stream, datagrams] }
                return
            } catch {
                // Another process has this port over UDP.
                try? await stream.close()
                if attempt == 10 { throw error }
            }
        }
    }

    private func close() async {
        for channel in channels.withLock({ $0 }) { try? await channel.close() }
    }

    /// Calls `send` with the responses, after the delay.
    fileprivate func receive(_ query: Query, on loop: any EventLoop, _ send: @escaping @Sendable ([[UInt8]]) -> Void) {
        state.withLock { state in
            state.queries.append(query)
            state.pending += 1
            state.mostPending = max(state.mostPending, state.pending)
        }
        loop.scheduleTask(in: delay) {
            self.state.withLock { $0.pending -= 1 }
            send(self.script(query))
        }
    }
}

private final class DatagramQueries: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let server: ScriptedNameServer

    init(server: ScriptedNameServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let channel = context.channel
        let query = ScriptedNameServer.Query(
            bytes: Array(envelope.data.readableBytesView), port: envelope.remoteAddress.port ?? 0)
        server.receive(query, on: context.eventLoop) { messages in
            for message in messages {
                let buffer = ByteBuffer(bytes: message)
                channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: buffer), promise: nil)
            }
        }
    }
}

private final class StreamQueries: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: ScriptedNameServer
    private var received = ByteBuffer()

    init(server: ScriptedNameServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard let length = received.getInteger(at: 0, as: UInt16.self),
            let message = received.getBytes(at: 2, length: Int(length))
        else { return }
        let channel = context.channel
        let query = ScriptedNameServer.Query(
            bytes: message, isStream: true, port: channel.remoteAddress?.port ?? 0)
        server.receive(query, on: context.eventLoop) { messages in
            guard !messages.isEmpty else { return channel.close(promise: nil) }
            for message in messages {
                // In two parts, as networks may deliver it.
                let bytes = [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
                channel.writeAndFlush(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)), promise: nil)
                channel.writeAndFlush(ByteBuffer(bytes: bytes.dropFirst(bytes.count / 2)), promise: nil)
            }
        }
    }
}
