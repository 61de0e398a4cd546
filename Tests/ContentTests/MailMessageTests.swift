import ClubProtocol
import Foundation
import NIOCore
import Testing

@testable import Content

@Suite("mail messages")
struct MailMessageTests {
    private func message(subject: String = "Flash info", text: String = "Bonjour", name: String? = "Zoé Lefèvre")
        -> MailMessage
    {
        MailMessage(
            id: MailMessage.ID(), from: .init(name: "Club", address: "club@club.example"),
            to: .init(name: name, address: "zoe@agence.example"), subject: subject,
            date: Date(timeIntervalSince1970: 1_805_000_000), text: text, html: "<p>\(text)</p>")
    }

    /// The value of a field of text, as written behind `Subject`.
    private func encodedWords(_ text: String) -> String {
        var bytes: [UInt8] = []
        HeaderField.write("Subject", text: text, into: &bytes)
        return String(String(decoding: bytes, as: UTF8.self).dropFirst("Subject: ".count).dropLast())
    }

    /// The value of a field with an address, as written behind `To`.
    private func encoded(_ mailbox: MailMessage.Mailbox) -> String {
        var bytes: [UInt8] = []
        HeaderField.write("To", mailbox, into: &bytes)
        return String(String(decoding: bytes, as: UTF8.self).dropFirst("To: ".count).dropLast())
    }

    private func quotedPrintable(_ text: String) -> String {
        var bytes: [UInt8] = []
        QuotedPrintable.encode(text, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func date(_ seconds: Double) -> String {
        var bytes: [UInt8] = []
        MessageDate.write(Date(timeIntervalSince1970: seconds), into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("no line is longer than 998 bytes, no header line than 78, and every line ends with CRLF")
    func lineLengths() {
        let long = String(repeating: "é", count: 3000) + "\n" + String(repeating: "mot ", count: 500)
        let bytes = message(subject: String(repeating: "réunion ", count: 24), text: long).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(!text.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" })
        let lines = text.components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 78 })
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    }

    @Test("another mail reader decodes an encoded subject")
    func encodedSubject() throws {
        let subject = "Économie numérique : « où va-t-on ? » 🚀 " + String(repeating: "à", count: 60)
        let words = encodedWords(subject).components(separatedBy: "\r\n ")
        let decoded = try words.map { word -> String in
            #expect(word.utf8.count <= 75)
            let payload = try #require(word.split(separator: "?").dropFirst(3).first)
            return String(decoding: try #require(Data(base64Encoded: String(payload))), as: UTF8.self)
        }
        #expect(decoded.joined() == subject)
    }

    @Test(
        "a text that looks like an encoded word is encoded itself, so that readers do not decode it",
        arguments: [
            "=?utf-8?B?UERHIGR1IENsdWI=?=", "Le =?utf-8?Q?PDG?= du Club", "a=?b", "=?", "?=", " devant", "derrière ",
            "deux  blancs", "tab\tici", "nul\u{0}", "del\u{7F}", "retour\r\nBcc: tous@x.example",
            "=?utf-8?B?w6k=?= =?x?Q?y?=",
        ])
    func encodedWordsInText(text: String) throws {
        for header in [
            encodedWords(text),
            String(encoded(.init(name: text, address: "a@x.example")).dropLast(" <a@x.example>".count)),
        ] where header != text {
            let decoded = try header.components(separatedBy: "\r\n ").map { word -> String in
                #expect(word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
                let payload = try #require(word.split(separator: "?").dropFirst(3).first)
                return String(decoding: try #require(Data(base64Encoded: String(payload))), as: UTF8.self)
            }
            #expect(decoded.joined() == text)
        }
        // A literal text contains nothing that a mail client would change.
        let literal = encodedWords(text) == text
        #expect(literal == (text == "?="))
    }

    @Test("a structured field loses the characters that no header may have")
    func structuredField() {
        var message = message()
        message.headers = [(name: "List-Id", value: "Liste\r\nBcc: tous@x.example\u{0}é <l.x>")]
        let text = String(decoding: message.bytes, as: UTF8.self)
        #expect(text.contains("\r\nList-Id: ListeBcc: tous@x.example <l.x>\r\n"))
    }

    @Test("plain ASCII is unchanged")
    func plainSubject() {
        #expect(encodedWords("Flash info no 3") == "Flash info no 3")
    }

    @Test(
        "quoted-printable keeps text, line endings and trailing spaces",
        arguments: [
            "é=è\nligne\n\n fin ", "\ttab\t", String(repeating: "a", count: 200), "=3D", "",
        ])
    func decodedAgain(text: String) {
        #expect(decode(quotedPrintable(text)) == text)
    }

    @Test(
        "a long text without a blank is cut into lines that no server refuses",
        arguments: [String(repeating: "a", count: 20_000), String(repeating: "é", count: 20_000)])
    func longWord(word: String) {
        var message = message(subject: word, text: word, name: word)
        message.replyTo = .init(name: word, address: "zoe@agence.example")
        let lines = String(decoding: message.bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 78 })
        #expect(decode(quotedPrintable(word)) == word)
    }

    @Test("words of ASCII are folded at blanks, and read the same")
    func foldedWords() {
        let subject = String(repeating: "Flash info, ", count: 30) + "fin"
        let folded = encodedWords(subject)
        #expect(folded.components(separatedBy: "\r\n").count > 3)
        #expect(folded.replacing("\r\n ", with: " ") == subject)
    }

    @Test("a line with only a dot is encoded, wherever it comes from")
    func loneDot() {
        #expect(quotedPrintable(".") == "=2E")
        #expect(quotedPrintable("a\n.\r\n..\n.b\n. \n.\n") == "a\r\n=2E\r\n..\r\n.b\r\n.=20\r\n=2E\r\n")
        // After a soft line break.
        #expect(quotedPrintable(String(repeating: "a", count: 75) + ".").hasSuffix("=\r\n=2E"))
        #expect(!String(decoding: message(text: "a\n.\nb").bytes, as: UTF8.self).contains("\r\n.\r\n"))
    }

    @Test("emoji of several scalars are the same after decoding")
    func emoji() {
        let family = String(repeating: "👩‍👩‍👧‍👦🇫🇷", count: 50)
        #expect(decode(quotedPrintable(family)) == family)
        let decoded = encodedWords(family).components(separatedBy: "\r\n ").compactMap { word in
            Data(base64Encoded: String(word.dropFirst("=?utf-8?B?".count).dropLast(2)))
        }
        // No character is cut: each word is UTF-8.
        #expect(decoded.compactMap { String(data: $0, encoding: .utf8) }.joined() == family)
    }

    @Test("List-Unsubscribe stays on one line; only one that no server would take is folded, between addresses")
    func listUnsubscribe() {
        func field(_ addresses: [Int]) -> String? {
            var message = message()
            let value = addresses.map { "<https://club.example/\(String(repeating: "a", count: $0))>" }
            message.headers = [(name: "List-Unsubscribe", value: value.joined(separator: ", "))]
            let text = String(decoding: message.bytes, as: UTF8.self)
            return text.firstMatch(of: /\r\nList-Unsubscribe: ((?:[^\r]|\r\n[ \t])*)\r\n/).map { String($0.1) }
        }
        let fixed = "List-Unsubscribe: , <https://club.example/><https://club.example/>".utf8.count
        #expect(field([500, 998 - fixed - 500])?.contains("\r\n") == false)
        let lines = field([500, 999 - fixed - 500])?.components(separatedBy: "\r\n") ?? []
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasSuffix(">") || $0.hasSuffix(">,") })
        #expect(lines.last?.hasPrefix(" <") == true)
        // What cannot be folded would have the message refused.
        #expect(field([2000]) == nil)
    }

    @Test("the same message has the same bytes, and another has other boundaries")
    func determinism() throws {
        let message = message()
        #expect(message.bytes == message.bytes)
        var other = message
        other.id = MailMessage.ID()
        let (text, otherText) = (
            String(decoding: message.bytes, as: UTF8.self), String(decoding: other.bytes, as: UTF8.self)
        )
        #expect(text != otherText && text.replacing("\(message.id)", with: "\(other.id)") == otherText)
    }

    @Test("a date is written in the format of RFC 5322, and read again")
    func date() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"), (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
        ] {
            #expect(date(Double(seconds)) == text)
            #expect(MessageDate.seconds(in: Array(text.utf8)[...]) == seconds)
        }
        for text in [
            "", "Thu, 1 Jan 1970 00:00:00", "Thu, 1 Jan 1970 00:00:00 +0100", "Thu, 30 Feb 2024 12:34:56 +0000",
            "Thu, 1 Foo 1970 00:00:00 +0000", "Thu, 1 Jan 1970 24:00:00 +0000", "Thu, 1 Jan 70 00:00:00 +0000",
        ] {
            #expect(MessageDate.seconds(in: Array(text.utf8)[...]) == nil, "\(text)")
        }
    }

    @Test("a line that begins with a dot gets another one, and a single dot ends the text")
    func dotStuffing() {
        let buffer = SMTPSession.dotStuffed(ByteBuffer(string: "a\r\n.b\r\n..\r\n").readableBytesView)
        #expect(String(buffer: buffer) == "a\r\n..b\r\n...\r\n.\r\n")
        #expect(String(buffer: SMTPSession.dotStuffed(ByteBuffer(string: ".").readableBytesView)) == "..\r\n.\r\n")
    }

    private func decode(_ encoded: String) -> String {
        var bytes: [UInt8] = []
        let source = Array(encoded.replacing("=\r\n", with: "").replacing("\r\n", with: "\n").utf8)
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "="), index + 2 < source.count,
                let byte = UInt8(String(decoding: source[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite("SMTP replies")
struct SMTPReplyTests {
    private func replies(_ pieces: [String]) throws -> [SMTPReply] {
        var decoder = SMTPReplyDecoder()
        var buffer = ByteBuffer()
        var replies: [SMTPReply] = []
        for piece in pieces {
            buffer.writeString(piece)
            while let reply = try decoder.next(in: &buffer) { replies.append(reply) }
        }
        return replies
    }

    @Test("a reply of several lines is one reply, however its bytes are split")
    func severalLines() throws {
        let text = "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n220 go\r\n"
        let expected = [
            SMTPReply(code: 250, lines: ["mail.example", "STARTTLS", "8BITMIME"]), SMTPReply(code: 220, lines: ["go"]),
        ]
        #expect(try replies([text]) == expected)
        #expect(try replies(text.map(String.init)) == expected)
    }

    @Test(
        "an invalid reply is refused",
        arguments: ["hello\r\n", "99 a\r\n", "700 a\r\n", String(repeating: "2", count: 5000)])
    func garbled(text: String) {
        #expect(throws: SMTPReplyDecoder.Garbled.self) { try replies([text]) }
    }

    @Test("the text of a reply has no control characters")
    func controlCharacters() {
        #expect(SMTPReply(code: 550, lines: ["a\u{1B}[31m\nb"]).text == "550 a[31mb")
    }
}
