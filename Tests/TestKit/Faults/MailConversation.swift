import Glibc
import NIOCore

/// One connection of a ``FaultyMailServer``: the server's side of SMTP (RFC 5321) with PIPELINING (RFC 2920).
///
/// Everything that has arrived is worked on at once, and all its answers leave in one write. Lines and texts are
/// searched by the C library, as a loop over bytes in a debug build would be slower than the client under test.
final class MailConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case commands, text
        /// Reads on and never answers: it has stalled, or closed its side of the connection.
        case stalled, closing
    }

    /// The first four letters of a command, in ASCII.
    private enum Verb: UInt32 {
        case ehlo = 0x4548_4C4F
        case helo = 0x4845_4C4F
        case mail = 0x4D41_494C
        case rcpt = 0x5243_5054
        case data = 0x4441_5441
        case rset = 0x5253_4554
        case noop = 0x4E4F_4F50
        case quit = 0x5155_4954
    }

    /// An attempt to mail someone, from the answer to RCPT to the answer to the text.
    private struct Attempt {
        var recipient: String
        var domain: String
        var fault: MailFault?
    }

    private static let longestLine = 4_096
    private static let longestText = 10 << 20
    private static let greeting =
        "250-mail.example\r\n250-PIPELINING\r\n250-SIZE \(longestText)\r\n250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n"
    /// Until then a client may read the last answer and close. Data that meets a closed socket would make the kernel
    /// reset the connection, and the client lose the answer.
    private static let patience = TimeAmount.seconds(2)

    private let server: FaultyMailServer
    private var number = 0
    private var phase = Phase.commands
    private var unread = ByteBuffer()
    private var answers = ByteBuffer()
    /// How much of a text has been searched for its end.
    private var searched = 0
    private var hasSender = false
    private var attempt: Attempt?
    private var textsByDomain: [String: Int] = [:]
    private var hasHadText = false

    init(with server: FaultyMailServer) {
        self.server = server
    }

    // MARK: The connection

    func channelActive(context: ChannelHandlerContext) {
        guard let connection = server.enter(context.channel) else { return context.close(promise: nil) }
        number = connection.number
        if connection.isBusy {
            server.note(.busyGreeting, leavesDoubt: false)
            sayGoodbye("421 4.3.2 Too busy\r\n", context)
        } else {
            answer("220 mail.example ESMTP\r\n")
            flush(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        server.leave(number)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isAnswering else { return }
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        while isAnswering, phase == .text ? readText(context) : readCommand(context) {}
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? FaultyMailServer.Order {
        case .close?:
            // Also an answer that was written may be lost, as the client may be sending its next command.
            if phase != .stalled { server.note(.outage, leavesDoubt: hasHadText) }
            context.close(promise: nil)
        case .closeIfStalled?:
            if phase == .stalled { context.close(promise: nil) }
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    private var isAnswering: Bool { phase == .commands || phase == .text }

    // MARK: Commands

    /// Reads one line; false until there is a whole one.
    private func readCommand(_ context: ChannelHandlerContext) -> Bool {
        let length: Int? = unread.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return nil }
            return memchr(start, 0x0A, bytes.count).map { UnsafeRawPointer($0) - start + 1 }
        }
        guard let length, length <= Self.longestLine, var line = unread.readSlice(length: length) else {
            if unread.readableBytes > Self.longestLine { sayGoodbye("500 5.5.2 Line too long\r\n", context) }
            return false
        }
        // Upper case, if they are letters.
        switch Verb(rawValue: (line.readInteger() ?? 0) & 0xDFDF_DFDF) {
        case .ehlo?: answers.writeString(Self.greeting)
        case .helo?: answer("250 mail.example\r\n")
        case .mail?: mail()
        case .rcpt?: recipient(address(in: line), context)
        case .data?: data(context)
        case .rset?:
            reset()
            answer("250 2.0.0 Ok\r\n")
        case .noop?: answer("250 2.0.0 Ok\r\n")
        case .quit?: sayGoodbye("221 2.0.0 Bye\r\n", context)
        case nil: answer("502 5.5.1 Not implemented\r\n")
        }
        return true
    }

    /// What is between the angle brackets of a command.
    private func address(in line: ByteBuffer) -> String? {
        line.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress, let opening = memchr(start, 0x3C, bytes.count) else { return nil }
            let first = UnsafeRawPointer(opening) - start + 1
            guard let closing = memchr(start + first, 0x3E, bytes.count - first) else { return nil }
            return String(decoding: bytes[first..<(UnsafeRawPointer(closing) - start)], as: UTF8.self)
        }
    }

    private func reset() {
        hasSender = false
        attempt = nil
    }

    private func mail() {
        if hasSender {
            answer("503 5.5.1 Nested MAIL\r\n")
        } else {
            hasSender = true
            answer("250 2.1.0 Ok\r\n")
        }
    }

    private func recipient(_ address: String?, _ context: ChannelHandlerContext) {
        guard hasSender else { return answer("503 5.5.1 MAIL first\r\n") }
        guard attempt == nil else { return answer("452 4.5.3 One at a time\r\n") }
        guard let address, let sign = address.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            return answer("501 5.1.3 Bad address\r\n")
        }
        let domain = String(address[sign...].dropFirst())
        let (fault, stallsAtData) = server.attempt(address, at: domain, on: number)
        switch fault {
        case .greylisting?: refuse("450 4.2.0 Greylisted\r\n", .greylisting)
        case .localError?: refuse("451 4.3.0 Local error\r\n", .localError)
        case .unknownRecipient?: refuse("550 5.1.1 No such mailbox\r\n", .unknownRecipient)
        case .endOfSession?:
            server.note(.endOfSession, leavesDoubt: false)
            sayGoodbye("421 4.3.2 Closing\r\n", context)
        case .stallAtCommand? where !stallsAtData: stall(.stallAtCommand, leavesDoubt: false, context)
        default:
            attempt = Attempt(recipient: address, domain: domain, fault: fault)
            answer("250 2.1.5 Ok\r\n")
        }
    }

    private func refuse(_ text: StaticString, _ fault: MailFault) {
        server.note(fault, leavesDoubt: false)
        answer(text)
    }

    private func data(_ context: ChannelHandlerContext) {
        guard let attempt else { return answer("554 5.5.1 No valid recipients\r\n") }
        switch attempt.fault {
        case .stallAtCommand?: stall(.stallAtCommand, leavesDoubt: false, context)
        case .dropBeforeText?: drop(.dropBeforeText, leavesDoubt: false, context)
        default:
            phase = .text
            hasHadText = true
            searched = 0
            answer("354 Go on\r\n")
        }
    }

    // MARK: Texts

    /// Reads one text; false until all of it has arrived.
    private func readText(_ context: ChannelHandlerContext) -> Bool {
        guard unread.readableBytes > 0 else { return false }
        if attempt?.fault == .dropInText {
            drop(.dropInText, leavesDoubt: true, context)
            return false
        }
        // The end of the line before belongs to DATA if the text is empty.
        let end = searched == 0 && isEmptyText ? -2 : find("\r\n.\r\n", from: searched, to: unread.readableBytes)
        guard let end else {
            // An end may have arrived except for its last byte.
            searched = max(0, unread.readableBytes - 4)
            if unread.readableBytes > Self.longestText { context.close(promise: nil) }
            return false
        }
        let id = messageID(before: end)
        unread.moveReaderIndex(forwardBy: end + 5)
        phase = .commands
        if let attempt { finish(attempt, id, context) }
        reset()
        return true
    }

    private var isEmptyText: Bool {
        unread.withUnsafeReadableBytes { bytes in bytes.starts(with: ".\r\n".utf8) }
    }

    private func finish(_ attempt: Attempt, _ id: String, _ context: ChannelHandlerContext) {
        let texts = (textsByDomain[attempt.domain] ?? 0) + 1
        textsByDomain[attempt.domain] = texts
        server.noteText(texts, for: attempt.domain)
        let message = FaultyMailServer.Message(
            id: id, recipient: attempt.recipient, connection: number, time: .now)
        switch attempt.fault {
        case .refusedText?: refuse("554 5.7.1 Refused\r\n", .refusedText)
        case .stallAfterText?: stall(.stallAfterText, leavesDoubt: true, context)
        case .dropAfterText?: drop(.dropAfterText, leavesDoubt: true, context)
        case .dropAfterAcceptance?:
            server.accept(message)
            drop(.dropAfterAcceptance, leavesDoubt: true, context)
        default:
            server.accept(message)
            answer("250 2.0.0 Ok\r\n")
        }
    }

    /// The identifier in the header of a text; empty if it has none.
    private func messageID(before end: Int) -> String {
        let name: StaticString = "\r\nMessage-ID: <"
        guard let start = find(name, from: 0, to: max(0, end)).map({ $0 + name.utf8CodeUnitCount }),
            let stop = find(">", from: start, to: end)
        else { return "" }
        return unread.getString(at: unread.readerIndex + start, length: stop - start) ?? ""
    }

    /// Where a string begins within what is unread, between two places.
    private func find(_ needle: StaticString, from start: Int, to end: Int) -> Int? {
        let length = needle.utf8CodeUnitCount
        return unread.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var place = start
            while place + length <= end,
                let hit = memchr(base + place, Int32(needle.utf8Start.pointee), end - length + 1 - place)
            {
                if memcmp(hit, needle.utf8Start, length) == 0 { return UnsafeRawPointer(hit) - base }
                place = UnsafeRawPointer(hit) - base + 1
            }
            return nil
        }
    }

    // MARK: Answers

    private func answer(_ text: StaticString) {
        answers.writeStaticString(text)
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard answers.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(answers), promise: nil)
        answers.clear()
    }

    private func stall(_ fault: MailFault, leavesDoubt: Bool, _ context: ChannelHandlerContext) {
        server.note(fault, leavesDoubt: leavesDoubt)
        flush(context)
        phase = .stalled
    }

    private func drop(_ fault: MailFault, leavesDoubt: Bool, _ context: ChannelHandlerContext) {
        server.note(fault, leavesDoubt: leavesDoubt)
        flush(context)
        phase = .closing
        context.close(promise: nil)
    }

    private func sayGoodbye(_ text: StaticString, _ context: ChannelHandlerContext) {
        answer(text)
        flush(context)
        phase = .closing
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
}
