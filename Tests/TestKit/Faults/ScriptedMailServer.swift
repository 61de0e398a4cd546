import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// An SMTP server on loopback that keeps what it accepts and misbehaves as a test tells it to.
package final class ScriptedMailServer: Sendable {
    /// What it does with the next transactions; each fault is used once.
    package enum Fault: Sendable {
        /// Greets with 421 and closes.
        case busyGreeting
        /// Answers RCPT TO with this reply.
        case refuseRecipient(String)
        /// Closes after DATA, before the text.
        case dropBeforeText
        /// Closes in the middle of the text.
        case dropInText
        /// Accepts the text and closes without a reply.
        case dropAfterText
        /// Answers the text with this reply instead of accepting it.
        case refuseText(String)
    }

    /// What one of its replies responds to.
    package enum Occasion: CaseIterable, Sendable {
        case connection, hello, startTLS, authentication, sender, recipient, data, text
    }

    /// A message that was answered with 250.
    package struct Message: Sendable {
        package var sender: String
        package var recipient: String
        package var text: String

        /// The value of a header field, unfolded; nil if it is absent.
        package func header(_ name: String) -> String? {
            let head = text.components(separatedBy: "\r\n\r\n")[0].replacing("\r\n ", with: " ")
            return head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("\(name.lowercased()): ") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    fileprivate struct State: Sendable {
        var faults: [Fault] = []
        var accepted: [Message] = []
        var texts = 0
        var lines: [String] = []
        var features: [String] = []
        var secretFeatures: [String] = []
        var injections: [Occasion: String] = [:]
        var isSilenced = false
    }

    fileprivate let state = Mutex(State())
    private let channel: any Channel
    package let port: Int

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
    }

    /// The messages accepted so far.
    package var accepted: [Message] { state.withLock { $0.accepted } }
    /// How many texts arrived complete, whatever happened to them.
    package var texts: Int { state.withLock { $0.texts } }

    /// Every line outside a text; after TLS with the prefix `tls:`.
    package var lines: [String] { state.withLock { $0.lines } }

    /// Lists these features in its replies to EHLO, before and after TLS.
    package func offer(_ features: [String], afterTLS secret: [String] = []) {
        state.withLock { ($0.features, $0.secretFeatures) = (features, secret) }
    }

    /// Injects this right after its next reply on each of these occasions, as a man in the middle would.
    ///
    /// - Parameter silencing: whether its own replies are withheld from then on, until TLS.
    package func inject(_ text: String, behind occasions: Occasion..., silencing: Bool = false) {
        state.withLock { state in
            for occasion in occasions { state.injections[occasion] = text }
            state.isSilenced = silencing
        }
    }

    package func inject(_ faults: Fault...) {
        state.withLock { $0.faults += faults }
    }

    /// Runs a server while `body` runs; port 0 picks a free one.
    package static func run<Result: Sendable>(
        port: Int = 0, _ body: (ScriptedMailServer) async throws -> Result
    ) async throws -> Result {
        let box = Box()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Conversation(box: box))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        let server = ScriptedMailServer(channel: channel, port: channel.localAddress?.port ?? 0)
        box.server.withLock { $0 = server }
        do {
            let result = try await body(server)
            try? await channel.close()
            return result
        } catch {
            try? await channel.close()
            throw error
        }
    }

    fileprivate final class Box: Sendable {
        let server = Mutex<ScriptedMailServer?>(nil)
    }

    fileprivate func takeFault(where matches: (Fault) -> Bool) -> Fault? {
        state.withLock { state in
            guard let first = state.faults.first, matches(first) else { return nil }
            return state.faults.removeFirst()
        }
    }
}

/// One connection: reads a line at a time, or a text up to its final dot.
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let box: ScriptedMailServer.Box
    private var received = ""
    private var sender = ""
    private var recipient = ""
    private var inText = false
    private var isSecret = false
    private var isSilenced = false

    init(box: ScriptedMailServer.Box) {
        self.box = box
    }

    private var server: ScriptedMailServer? { box.server.withLock { $0 } }

    func channelActive(context: ChannelHandlerContext) {
        if server?.takeFault(where: { if case .busyGreeting = $0 { true } else { false } }) != nil {
            reply("421 too busy", context)
            context.close(promise: nil)
        } else {
            reply("220 mail.example ESMTP", to: .connection, context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        while context.channel.isActive, step(context) {}
    }

    private func step(_ context: ChannelHandlerContext) -> Bool {
        if inText {
            if server?.takeFault(where: { if case .dropInText = $0 { true } else { false } }) != nil {
                context.close(promise: nil)
                return false
            }
            guard let end = received.range(of: "\r\n.\r\n") else { return false }
            let text = String(received[..<end.lowerBound]).replacing("\r\n..", with: "\r\n.")
            received.removeSubrange(..<end.upperBound)
            inText = false
            finish(text, context)
            return true
        }
        guard let end = received.range(of: "\r\n") else { return false }
        let line = String(received[..<end.lowerBound])
        received.removeSubrange(..<end.upperBound)
        command(line, context)
        return true
    }

    private func command(_ line: String, _ context: ChannelHandlerContext) {
        server?.state.withLock { $0.lines.append(isSecret ? "tls:\(line)" : line) }
        switch line.prefix(4).uppercased() {
        case "EHLO":
            let offered = server?.state.withLock { isSecret ? $0.secretFeatures : $0.features } ?? []
            let lines = "250-mail.example\r\n" + offered.map { "250-\($0)\r\n" }.joined() + "250 8BITMIME"
            reply(lines, to: .hello, context)
        case "STAR": startTLS(context)
        case "MAIL":
            sender = address(in: line)
            reply("250 sender", to: .sender, context)
        case "RCPT":
            recipient = address(in: line)
            if case .refuseRecipient(let text)? = server?.takeFault(where: {
                if case .refuseRecipient = $0 { true } else { false }
            }) {
                reply(text, to: .recipient, context)
            } else {
                reply("250 recipient", to: .recipient, context)
            }
        case "DATA":
            if server?.takeFault(where: { if case .dropBeforeText = $0 { true } else { false } }) != nil {
                context.close(promise: nil)
            } else {
                inText = true
                reply("354 go on", to: .data, context)
            }
        case "QUIT":
            reply("221 bye", context)
            context.close(promise: nil)
        case "AUTH": reply("235 welcome", to: .authentication, context)
        default: reply("250 as you like", context)
        }
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        let isAlone = reply("220 go", to: .startTLS, context)
        guard isAlone else { return }
        do {
            let tls = try NIOSSLContext(configuration: LoopbackCertificate.serverConfiguration())
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            isSecret = true
        } catch {
            context.close(promise: nil)
        }
    }

    private func finish(_ text: String, _ context: ChannelHandlerContext) {
        server?.state.withLock { $0.texts += 1 }
        let fault = server?.takeFault {
            switch $0 {
            case .dropAfterText, .refuseText: true
            default: false
            }
        }
        let message = ScriptedMailServer.Message(sender: sender, recipient: recipient, text: text)
        switch fault {
        case .dropAfterText?:
            server?.state.withLock { $0.accepted.append(message) }
            context.close(promise: nil)
        case .refuseText(let answer)?: reply(answer, to: .text, context)
        default:
            server?.state.withLock { $0.accepted.append(message) }
            reply("250 taken", to: .text, context)
        }
    }

    private func address(in line: String) -> String {
        String(line.split(separator: "<").last?.split(separator: ">").first ?? "")
    }

    private func reply(_ text: String, _ context: ChannelHandlerContext) {
        guard !isSilenced || isSecret else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
    }

    /// - Returns: whether nothing was injected after it.
    @discardableResult
    private func reply(_ text: String, to occasion: ScriptedMailServer.Occasion, _ context: ChannelHandlerContext)
        -> Bool
    {
        let (injection, silences) =
            server?.state.withLock { ($0.injections.removeValue(forKey: occasion), $0.isSilenced) } ?? (nil, false)
        guard let injection else {
            reply(text, context)
            return true
        }
        // In one packet, so that it is not taken for the reply to the next command.
        reply("\(text)\r\n\(injection)", context)
        isSilenced = silences
        return false
    }
}
