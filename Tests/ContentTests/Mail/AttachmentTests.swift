import ClubProtocol
import Foundation
import Testing

@testable import Content

/// Not that of the testing library.
private typealias Attachment = Content.Attachment

@Suite("attachments")
struct AttachmentTests {
    private func message(_ attachments: [Attachment]) -> MailMessage {
        var message = MailMessage(
            id: MailMessage.ID(), from: .init(name: "Club", address: "club@club.example"),
            to: .init(name: "Zoé", address: "zoe@agence.example"), subject: "Essai",
            date: Date(timeIntervalSince1970: 1_805_000_000), text: "Bonjour", html: "<p>Bonjour</p>")
        message.attachments = attachments
        return message
    }

    /// The message as read; its lines are checked on the way.
    private func read(_ attachments: [Attachment]) -> MessagePart {
        let text = String(decoding: message(attachments).bytes, as: UTF8.self)
        let lines = text.components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
        return MessagePart(text)
    }

    private func pdf(_ name: String) throws -> Attachment {
        try Attachment(type: "application/pdf", fileName: name, bytes: Array("%PDF".utf8))
    }

    @Test("a message has the parts that its attachments need, and no others")
    func structure() throws {
        let invitation = try Attachment(
            type: "text/calendar", fileName: "invitation.ics", bytes: Array("BEGIN:VCALENDAR\r\n".utf8),
            method: "REQUEST")
        let logo = try Attachment(
            type: "image/png", fileName: "logo.png", bytes: [1, 2], disposition: .inline(contentID: "logo@club.example")
        )
        let alternative = "multipart/alternative(text/plain text/html)"
        #expect(read([]).outline == alternative)
        #expect(read([try pdf("a.pdf")]).outline == "multipart/mixed(\(alternative) application/pdf)")
        #expect(read([logo]).outline == "multipart/related(\(alternative) image/png)")
        #expect(read([invitation]).outline == "multipart/alternative(text/plain text/html text/calendar)")
        let all = read([try pdf("a.pdf"), logo, invitation, try pdf("b.pdf")])
        #expect(
            all.outline == "multipart/mixed(multipart/related(multipart/alternative(text/plain text/html text/calendar)"
                + " image/png) application/pdf application/pdf)")
        let related = all.parts[0]
        #expect(related.type.contains(#"type="multipart/alternative""#))
        #expect(related.parts[1].fields["content-id"] == "<logo@club.example>")
        #expect(related.parts[1].fields["content-disposition"] == #"inline; filename="logo.png""#)
        let calendar = related.parts[0].parts[2]
        #expect(calendar.type == #"text/calendar; charset=utf-8; method=REQUEST; name="invitation.ics""#)
        #expect(calendar.fields["content-disposition"] == nil)
        #expect(calendar.data == Data("BEGIN:VCALENDAR\r\n".utf8))
        #expect(related.parts[0].parts[0].body == "Bonjour")
    }

    @Test("files arrive as they are, in lines of 76 characters", arguments: [0, 1, 2, 3, 56, 57, 58, 114, 1000])
    func content(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167) }
        let part = read([try Attachment(type: "application/octet-stream", fileName: "a", bytes: bytes)]).parts[1]
        #expect(part.fields["content-transfer-encoding"] == "base64")
        #expect(part.data == Data(bytes))
        let lines = part.body.components(separatedBy: "\r\n")
        #expect(lines.dropLast().allSatisfy { $0.utf8.count == 76 })
    }

    @Test(
        "a file name is read the same by every kind of reader",
        arguments: [
            "rapport.pdf", "Compte rendu n° 3.pdf", "Économie numérique.pdf", "été 🚀.pdf", "a\"b;c.pdf", "a%20b.pdf",
            "=?utf-8?B?eA==?=.pdf", String(repeating: "é", count: 120) + ".pdf",
            String(repeating: "mot ", count: 40) + "fin.pdf", String(repeating: "a", count: 200) + ".pdf",
        ])
    func fileName(name: String) throws {
        let part = read([try pdf(name)]).parts[1]
        #expect(part.fileName == name)
        #expect(part.name == name)
        // A second name is a defect for Python's reader, among others.
        let disposition = try #require(part.fields["content-disposition"])
        #expect(disposition.contains("filename*") != disposition.contains("filename="))
    }

    @Test("a file name loses what would deceive its reader or end a line or a path")
    func fileNameCleaned() throws {
        for (name, kept) in [
            ("facture\u{202E}fdp.exe", "facturefdp.exe"), ("../../etc/passwd", "....etcpasswd"),
            ("C:\\a.pdf", "C:a.pdf"),
            ("a\r\nBcc: tous@x.example\u{0}.pdf", "aBcc: tous@x.example.pdf"), ("a\u{85}\u{2028}b\u{7F}.pdf", "ab.pdf"),
            ("\u{61C}a\u{2066}b\u{2069}c\u{200E}d\u{200F}\u{202A}.pdf", "abcd.pdf"),
            (String(repeating: "é", count: 300) + ".pdf", String(repeating: "é", count: 125) + ".pdf"),
        ] {
            let part = read([try pdf(name)]).parts[1]
            #expect(part.fileName == kept && part.name == kept)
        }
        let nameless = read([try pdf("/\u{202E}\r\n")]).parts[1]
        #expect(nameless.fields["content-disposition"] == "attachment" && nameless.type == "application/pdf")
    }

    @Test("what no reader would understand is refused")
    func refused() {
        func attachment(
            _ type: String, _ disposition: Attachment.Disposition = .attachment, method: String? = nil
        ) throws -> Attachment {
            try Attachment(type: type, fileName: "a", bytes: [], disposition: disposition, method: method)
        }
        for type in ["", "pdf", "a/b/c", "/pdf", "application/", "a b/c", "a/b; name=x", "a/é", "a/b\r\nBcc: x"] {
            #expect(throws: InvalidText.self, "\(type)") { try attachment(type) }
        }
        for type in ["multipart/mixed", "message/rfc822", "Message/RFC822"] {
            #expect(throws: InvalidText.self, "\(type)") { try attachment(type) }
        }
        for identifier in ["", "logo", "@a", "a@", "a@b@c", "a b@c", "a@b>\r\nBcc: x"] {
            #expect(throws: InvalidText.self, "\(identifier)") {
                try attachment("image/png", .inline(contentID: identifier))
            }
        }
        for method in ["", "A B", "REQUEST; x=y", "REQUEST\r\n", "É"] {
            #expect(throws: InvalidText.self, "\(method)") { try attachment("text/calendar", method: method) }
        }
        #expect(throws: InvalidText.self) { try attachment("text/plain", method: "REQUEST") }
        #expect(throws: InvalidText.self) {
            try attachment("text/calendar", .inline(contentID: "a@b"), method: "REQUEST")
        }
    }
}
