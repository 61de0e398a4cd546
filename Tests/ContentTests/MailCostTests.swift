import ClubProtocol
import Foundation
import TestKit
import Testing

@testable import Content

/// The cost of turning a text into a mail. The tables also hold rows that are older than the limits on texts.
@Suite("the cost of mails", .serialized)
struct MailCostTests {
    @Test("no letter costs more than one of plain ASCII")
    func letter() throws {
        let renderer = try LetterRenderer()
        TextCost.check("letter", bytes: 40_000) { text in
            let letter = OutgoingMail(
                id: .init(), attempt: 0, email: "zoe@agence.example", name: "Zoé", createdAt: .now, subject: "Bonjour",
                paragraphs: [text, text, text])
            _ = renderer.message(letter, from: "club@club.example").bytes
        }
    }

    @Test("no part of a mail costs more than in plain ASCII")
    func parts() {
        TextCost.check("quoted-printable") { _ = quotedPrintable($0) }
        TextCost.check("lines", bytes: 20) { text in
            _ = quotedPrintable(String(repeating: "\(text)\r\n", count: 1000))
        }
        TextCost.check("subject", bytes: 800) { text in
            var bytes: [UInt8] = []
            HeaderField.write("Subject", text: text, into: &bytes)
        }
        TextCost.check("file name", bytes: 800) { text in
            var bytes: [UInt8] = []
            FileName(text).writeFileName(into: &bytes)
        }
    }

    private func quotedPrintable(_ text: String) -> String {
        var bytes: [UInt8] = []
        QuotedPrintable.encode(text, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("line endings of both kinds become CRLF, spaces before them are kept")
    func lineEnds() {
        #expect(quotedPrintable("a \r\nb\t\nc\rd ") == "a=20\r\nb=09\r\nc=0Dd=20")
        #expect(quotedPrintable("\r\n\n") == "\r\n\r\n")
        #expect(quotedPrintable(String(repeating: "é", count: 13)).utf8.count == 78 + 3)
    }

    @Test("the templates escape values in HTML, and nothing in the text")
    func escaping() throws {
        let letter = OutgoingMail(
            id: .init(), attempt: 0, email: "zoe@agence.example", name: "Zoé & <Luc>", createdAt: .now,
            subject: "Un \"essai\"", paragraphs: ["L'été\n<b>"])
        let message = try LetterRenderer().message(letter, from: "club@club.example")
        #expect(message.html.hasPrefix("<!DOCTYPE html>"))
        #expect(
            message.html.contains("Bonjour Zoé &amp; &lt;Luc&gt;,") && message.html.contains("L&#39;été\n&lt;b&gt;"))
        #expect(message.text.contains("Bonjour Zoé & <Luc>,") && message.text.contains("L'été\n<b>"))
    }
}
