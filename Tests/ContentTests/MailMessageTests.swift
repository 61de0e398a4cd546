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
        let words = MailMessage.encodedWords(subject).components(separatedBy: "\r\n ")
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
            MailMessage.encodedWords(text),
            String(MailMessage.encoded(.init(name: text, address: "a@x.example")).dropLast(" <a@x.example>".count)),
        ] where header != text {
            let decoded = try header.components(separatedBy: "\r\n ").map { word -> String in
                #expect(word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
                let payload = try #require(word.split(separator: "?").dropFirst(3).first)
                return String(decoding: try #require(Data(base64Encoded: String(payload))), as: UTF8.self)
            }
            #expect(decoded.joined() == text)
        }
        // A literal text contains nothing that a mail client would change.
        let literal = MailMessage.encodedWords(text) == text
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
        #expect(MailMessage.encodedWords("Flash info no 3") == "Flash info no 3")
    }

    @Test(
        "quoted-printable keeps text, line endings and trailing spaces",
        arguments: [
            "é=è\nligne\n\n fin ", "\ttab\t", String(repeating: "a", count: 200), "=3D", "",
        ])
    func quotedPrintable(text: String) {
        #expect(decode(MailMessage.quotedPrintable(text)) == text)
    }

    @Test("a date is written in the format of RFC 5322")
    func date() {
        #expect(MailMessage.date(Date(timeIntervalSince1970: 0)) == "Thu, 1 Jan 1970 00:00:00 +0000")
        #expect(MailMessage.date(Date(timeIntervalSince1970: 1_709_210_096)) == "Thu, 29 Feb 2024 12:34:56 +0000")
    }

    @Test("a line that begins with a dot gets another one, and a single dot ends the text")
    func dotStuffing() {
        let buffer = SMTPSession.dotStuffed(Array("a\r\n.b\r\n..\r\n".utf8))
        #expect(String(buffer: buffer) == "a\r\n..b\r\n...\r\n.\r\n")
        #expect(String(buffer: SMTPSession.dotStuffed(Array(".".utf8))) == "..\r\n.\r\n")
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
