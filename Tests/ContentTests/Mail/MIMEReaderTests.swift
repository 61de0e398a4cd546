import TestKit
import Testing

@testable import Content

@Suite("received messages")
struct MIMEReaderTests {
    private func read(_ text: String) -> ReceivedPart { MIMEReader.read(Array(text.utf8)) }

    private func string(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

    @Test("any line end is one", arguments: ["\n", "\r\n", "\r", "\r\r\n"])
    func lineEnds(end: String) {
        let message = read(
            [
                "From: a@club.example", "Subject: un", " deux", "Content-Type: multipart/mixed; boundary=b", "", "--b",
                "", "texte", "--b--", "",
            ].joined(separator: end))
        #expect(message.fields.bytes("subject").map(string) == "un deux")
        #expect(message.parts.map { string($0.text.prefix(5)) } == ["texte"])
    }

    @Test("encoded words are read in the charsets of French mail, others are left")
    func encodedWords() {
        let words = [
            "=?utf-8?B?w6l0w6k=?=": "été", "=?iso-8859-1?q?Caf=E9_noir?=": "Café noir",
            "=?iso-8859-15?Q?10_=A4?=": "10 €", "=?windows-1252?Q?l=92=E9t=E9?=": "l’été",
            "=?utf-8?q?un?= =?utf-8?q?deux?=": "undeux", "=?utf-8?q?un?= deux": "un deux",
            "=?koi8-r?B?8NI=?=": "=?koi8-r?B?8NI=?=", "=?utf-8?x?un?=": "=?utf-8?x?un?=",
            "=?utf-8?q?un": "=?utf-8?q?un",
        ]
        for (word, text) in words { #expect(string(ReceivedWords.decode(Array(word.utf8)[...])) == text) }
    }

    @Test("parameters are tokens, quoted strings, and pieces")
    func parameters() {
        let type = ContentType(
            Array(
                #"Multipart/Report; report-type=delivery-status; BOUNDARY*0="a;\"b"; boundary*1*=%20c; x*=utf-8''d%20e"#
                    .utf8))
        #expect(type.name == "multipart/report")
        #expect(type.parameters["boundary"].map(string) == #"a;"b c"#)
        #expect(type.parameters["x"].map(string) == "d e")
        #expect(ContentType([]).name == "text/plain")
    }

    @Test("texts are decoded: quoted-printable, base64, charsets")
    func texts() {
        func text(_ encoding: String, _ charset: String, _ body: String) -> String {
            string(
                read("Content-Type: text/plain; charset=\(charset)\nContent-Transfer-Encoding: \(encoding)\n\n\(body)")
                    .text)
        }
        #expect(text("quoted-printable", "iso-8859-1", "=E9t=\n=E9 = 5") == "été = 5")
        #expect(text("BASE64", "utf-8", "w6l0\nw6k=") == "été")
        #expect(text("8bit", "utf-8", "été") == "été")
        let bare = MIMEReader.read(Array("Subject: x\n\n".utf8) + [0xE9, 0x74, 0xE9])
        #expect(string(bare.text) == "été")
    }

    @Test("an outer boundary ends the parts within")
    func unclosed() {
        let message = read(
            """
            Content-Type: multipart/mixed; boundary=o

            --o
            Content-Type: multipart/alternative; boundary=oi

            --oi

            one
            --o

            two
            --o--
            after
            """)
        #expect(message.parts.map { $0.parts.count } == [1, 0])
        #expect(message.parts.last.map { string($0.body) } == "two\n")
    }

    @Test("1,000 levels and 10,000 parts are a bounded number of parts")
    func bounds() {
        let deep = (0..<1000).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        #expect(read(deep).all.count == MIMEReader.deepest + 1)
        let wide = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 10_000)
        #expect(read(wide).all.count == MIMEReader.mostParts)
    }

    @Test("HTML gives its lines, and no tags")
    func html() {
        let html = "<style>p{}</style><p>&Eacute;chec de la remise &#224; <b>&lt;a@b.fr&gt;</b><br>fin <c@d.fr> &x"
        #expect(string(ReceivedHTML.text(Array(html.utf8))) == " \nEchec de la remise à  <a@b.fr> \nfin <c@d.fr> &x")
    }

    @Test("no text costs more than others of its length")
    func cost() {
        TextCost.check("a notice") { text in
            _ = InboundReader.read(Array("From: MAILER-DAEMON\n\nundeliverable\n\(text)".utf8))
        }
        TextCost.check("a header") { text in
            _ = InboundReader.read(Array("Subject: \(text)\nFrom: \(text)\nTo: \(text)\n\n".utf8))
        }
    }

    @Test(
        "what repeats takes a time in proportion",
        arguments: [
            "<", "=", "@", "<a@", "--", "a@b.fr\n", "=?", "+", "return+a", "\r", "&#", "a: b\n", "<a@b.fr>:\n",
            "Final-Recipient: a@b.fr\n\n",
        ])
    func repeated(text: String) {
        for type in ["text/plain", "text/html", "message/delivery-status"] {
            func time(_ count: Int) -> Double {
                let body = String(repeating: text, count: count / text.utf8.count)
                let bytes = Array(
                    "From: MAILER-DAEMON@b.fr\nContent-Type: \(type)\n\nnot delivered to\n\n\(body)".utf8)
                return TextCost.nanoseconds { _ = InboundReader.read(bytes) }
            }
            let (short, long) = (time(6000), time(48_000))
            #expect(long < max(short, 1e6) * 8 * 3, "\(text) in \(type): \(short / 1e6) ms, \(long / 1e6) ms")
        }
    }
}
