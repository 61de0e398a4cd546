import NIOCore
import NIOEmbedded
import Testing

@testable import Content

@Suite("requested and unsolicited replies")
struct SMTPReplyGateTests {
    /// An event on a connection.
    private enum Step {
        case comes(String)
        case goes
    }

    @Test("as many replies pass as were requested, however their bytes are split; the first extra byte closes it")
    func replies() throws {
        let greeting = Step.comes("220 mail.example\r\n")
        for (steps, count, isClean) in [
            ([greeting], 1, true), ([.comes("22"), .comes("0-a\r\n"), .comes("220 go\r"), .comes("\n")], 1, true),
            ([greeting, .goes, .comes("250-a\r\n250 b\r\n")], 2, true),
            ([greeting, .goes, .comes("454 not now\r\n"), .goes, .comes("221 bye\r\n")], 3, true),
            ([greeting, .comes("2")], 1, false), ([.comes("220 a\r\n250 b\r\n")], 1, false),
            ([.comes("220 a\r\n250")], 1, false), ([greeting, .goes, .comes("220 go\r\n250 ok\r\n")], 2, false),
            ([greeting, .goes, .comes("220 go\r\n"), .comes("\u{16}")], 2, false),
            ([greeting, .goes, .comes("220 go\r\n\u{16}")], 2, false),
            ([greeting, .goes, .comes("250 a\r\n"), .comes("250 b\r\n")], 2, false),
            // A server may close at any time; nothing is believed after that.
            ([greeting, .comes("4"), .comes("21 bye\r\n250 b\r\n")], 2, true),
            ([greeting, .comes("42"), .comes("0 bye\r\n")], 1, false),
        ] as [([Step], Int, Bool)] {
            let gate = SMTPReplyGate()
            let channel = EmbeddedChannel(handler: gate)
            var isRefused = false
            for step in steps {
                switch step {
                case .comes(let text):
                    do { try channel.writeInbound(ByteBuffer(string: text)) } catch is SMTPReplyGate.Unasked {
                        isRefused = true
                    }
                case .goes: _ = try? channel.writeOutbound(SMTPRequest(bytes: .init(string: "NOOP\r\n"), replies: 1))
                }
            }
            var replies: [SMTPReply] = []
            while let reply = try channel.readInbound(as: SMTPReply.self) { replies.append(reply) }
            #expect(replies.count == count && isRefused == !isClean && gate.isClean == isClean, "\(steps)")
            _ = try? channel.finish()
        }
    }

    @Test(
        "nothing is sent after a violation, and an invalid reply closes the connection too")
    func silence() throws {
        for text in ["220 a\r\n250 b\r\n", "x\r\n"] {
            let channel = EmbeddedChannel(handler: SMTPReplyGate())
            #expect(throws: (any Error).self) { try channel.writeInbound(ByteBuffer(string: text)) }
            #expect(throws: (any Error).self) {
                try channel.writeOutbound(SMTPRequest(bytes: .init(string: "AUTH PLAIN x\r\n"), replies: 1))
            }
            #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
            _ = try? channel.finish()
        }
    }
}
