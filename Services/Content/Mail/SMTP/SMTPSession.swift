import ClubProtocol
import FoundationEssentials
import NIOCore
import Synchronization

/// One conversation with an SMTP server.
final class SMTPSession: MailSession {
    private let connection: SMTPConnection
    private let features: SMTPFeatures
    private let limits: SMTPTimeLimits

    /// What was sent of the present envelope, and what the server has answered to it.
    private struct Envelope {
        var value: MailEnvelope
        /// Commands that are sent, or to be sent one by one if the server cannot take them together.
        var answers: [SMTPReply] = []
    }

    /// The text whose answer is waited for.
    private struct Text {
        /// Whether all of it was handed to the network: otherwise the server cannot have accepted it.
        var isSent = false
        /// The envelope to be sent after the answer, to a server that takes one command at a time.
        var next: MailEnvelope?
    }

    private let envelope = Mutex<Envelope?>(nil)
    private let present = Mutex(Text())
    /// Whether the server waits for a text.
    private let isReady = Atomic(false)

    private init(_ connection: SMTPConnection, _ features: SMTPFeatures, _ limits: SMTPTimeLimits) {
        self.connection = connection
        self.features = features
        self.limits = limits
    }

    /// How long a server may take to answer QUIT: nothing depends on it.
    private static let farewell = TimeAmount.seconds(1)

    // MARK: Opening

    /// Greeting, EHLO, TLS and authentication.
    ///
    /// - Throws: ``MailUnreachable`` if the server does not accept us.
    static func open(_ connection: SMTPConnection, _ transport: SMTPTransport) async throws -> SMTPSession {
        let opening = SMTPOpening(connection: connection, transport: transport)
        do {
            return SMTPSession(connection, try await opening.run(), transport.limits)
        } catch let error as SMTPConnection.Lost {
            throw MailUnreachable(reason: "\(error.reason) before the first message")
        }
    }

    // MARK: Envelopes

    func offer(_ envelope: MailEnvelope) async {
        await connection.send(begin(envelope), expecting: features.isPipelining ? 3 : 1)
    }

    /// The commands of an envelope, as far as they are sent at once.
    private func begin(_ next: MailEnvelope) -> ByteBuffer {
        envelope.withLock { $0 = Envelope(value: next) }
        let commands = features.isPipelining ? [mail(next), recipient(next), "DATA\r\n"] : [mail(next)]
        return ByteBuffer(string: commands.joined())
    }

    private func mail(_ envelope: MailEnvelope) -> String {
        var line = "MAIL FROM:<\(envelope.sender)>"
        if features.hasSize { line += " SIZE=\(envelope.size)" }
        // Reports name the delivery, and quote its header only (RFC 3461, 4.3 and 4.4).
        if features.hasDSN { line += " RET=HDRS ENVID=\(envelope.id)" }
        return line + "\r\n"
    }

    private func recipient(_ envelope: MailEnvelope) -> String { "RCPT TO:<\(envelope.recipient)>\r\n" }

    func answer(within limit: TimeAmount) async -> MailOffer? {
        let deadline = NIODeadline.now() + limit
        do {
            while true {
                guard let present = envelope.withLock({ $0 }) else { return .lost("no envelope was sent") }
                if present.answers.count == 3 { return await conclude(present.answers) }
                if !features.isPipelining, let refused = present.answers.last, !refused.isPositive {
                    return await refusal(refused, at: Self.stages[present.answers.count - 1])
                }
                guard let reply = try await connection.next(within: max(.zero, deadline - .now())) else { return nil }
                envelope.withLock { $0?.answers.append(reply) }
                if reply.code == 421 { return lastRefusal }
                await proceed(after: present.answers.count, reply, present.value)
            }
        } catch {
            return lastRefusal ?? .lost("\(Self.end(error)) before the text went out")
        }
    }

    /// The first answer that refuses the message, of a connection that has ended: many servers close after a few
    /// refusals, and what they said of the message holds all the same.
    private var lastRefusal: MailOffer? {
        let answers = envelope.withLock { $0?.answers ?? [] }
        return answers.firstIndex { !$0.isPositive }.map { .refused(answers[$0], Self.stages[$0], isLast: true) }
    }

    private static let stages: [SMTPStage] = [.sender, .recipient, .data]

    /// Sends the command after the one that was answered, to a server that takes one at a time.
    private func proceed(after place: Int, _ reply: SMTPReply, _ envelope: MailEnvelope) async {
        guard !features.isPipelining, reply.isPositive, place < 2 else { return }
        await connection.send(ByteBuffer(string: place == 0 ? recipient(envelope) : "DATA\r\n"), expecting: 1)
    }

    private func conclude(_ answers: [SMTPReply]) async -> MailOffer {
        if let place = answers.prefix(2).firstIndex(where: { !$0.isPositive }) {
            // A server that waits for the text of a message without a recipient gets none (RFC 2920, 3.1).
            if answers[2].code == 354 {
                await connection.send(ByteBuffer(string: ".\r\n"), expecting: 1)
                _ = try? await connection.reply(within: limits.textSent)
            }
            return await refusal(answers[place], at: Self.stages[place])
        }
        switch answers[2].code {
        case 354:
            isReady.store(true, ordering: .relaxed)
            return .ready
        case 400...: return await refusal(answers[2], at: .data)
        default:
            // Whatever it means, it is not the invitation to send a text.
            return .lost("the server answered DATA with \(answers[2].text)")
        }
    }

    /// What was refused is over; the next message begins with a new envelope, unless the server closes.
    private func refusal(_ reply: SMTPReply, at stage: SMTPStage) async -> MailOffer {
        await connection.send(ByteBuffer(string: "RSET\r\n"), expecting: 1)
        let reset = try? await connection.reply(within: limits.command)
        return .refused(reply, stage, isLast: reset?.isPositive != true)
    }

    // MARK: Texts

    func send(_ text: ByteBuffer, then next: MailEnvelope?) async {
        isReady.store(false, ordering: .relaxed)
        var bytes = Self.dotStuffed(text.readableBytesView)
        var replies = 1
        if let next, features.isPipelining {
            bytes.writeImmutableBuffer(begin(next))
            replies += 3
        }
        let isSent = await connection.send(bytes, expecting: replies)
        present.withLock { $0 = Text(isSent: isSent, next: features.isPipelining ? nil : next) }
    }

    func outcome(within limit: TimeAmount) async -> MailOutcome? {
        let text = present.withLock { $0 }
        do {
            guard let reply = try await connection.next(within: limit) else { return nil }
            if let next = text.next { await offer(next) }
            switch reply.code {
            case 200..<300: return .accepted(reply.text)
            case 400...: return .refused(reply)
            default: return .uncertain("the server answered the text with \(reply.text)")
            }
        } catch {
            let reason = "\(Self.end(error)) while the message went out"
            return text.isSent ? .uncertain(reason) : .lost(reason)
        }
    }

    /// How a connection ended, in words for people.
    private static func end(_ error: any Error) -> String {
        (error as? SMTPConnection.Lost)?.reason ?? "the connection was lost"
    }

    func close() async {
        // To a server that waits for a text, a farewell would be one: without its end, nothing is delivered.
        if !isReady.load(ordering: .relaxed), await connection.send(ByteBuffer(string: "QUIT\r\n"), expecting: 1) {
            // For the next connection not to be one too many for the server.
            _ = try? await connection.next(within: Self.farewell)
        }
        try? await connection.channel.close().get()
    }

    /// RFC 5321, 4.5.2: a line that begins with a dot gets another one; a line with only a dot ends the text.
    static func dotStuffed(_ bytes: ByteBufferView) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes.count + 512)
        var rest = bytes[...]
        var atLineStart = true
        while !rest.isEmpty {
            if atLineStart, rest.first == UInt8(ascii: ".") { buffer.writeInteger(UInt8(ascii: ".")) }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            buffer.writeBytes(rest[..<end])
            atLineStart = rest[end - 1] == UInt8(ascii: "\n")
            rest = rest[end...]
        }
        buffer.writeStaticString(atLineStart ? ".\r\n" : "\r\n.\r\n")
        return buffer
    }
}
