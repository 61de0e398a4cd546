import ClubProtocol
import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import Content

@Suite("DKIM canonicalization")
struct DKIMCanonicalTests {
    @Test("the example of RFC 6376, 3.4.5")
    func example() {
        let canonical = DKIMCanonical(Array("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n".utf8))
        #expect(canonical.fields.map { String(decoding: $0, as: UTF8.self) } == ["a:X\r\n", "b:Y Z\r\n"])
        #expect(String(decoding: canonical.body, as: UTF8.self) == " C\r\nD E\r\n")
    }

    @Test("bodies that are empty, blank or have no line ending at the end")
    func bodies() {
        for (body, expected) in [
            ("", ""), ("\r\n", ""), (" \t\r\n\r\n", ""), ("a", "a\r\n"), ("a \r\n ", "a\r\n"),
            ("a\r\n\r\nb", "a\r\n\r\nb\r\n"),
            ("\r\n\r\na\r\n", "\r\n\r\na\r\n"), (" a\r\n \t \r\n\t b\t c", " a\r\n\r\n b c\r\n"),
            ("a\rb\nc", "a\rb\nc\r\n"),
        ] {
            #expect(String(decoding: DKIMCanonical.body(Array(body.utf8)[...]), as: UTF8.self) == expected)
        }
    }

    /// With the signature that RFC 8463 publishes, for the verifier that the other tests rely on.
    @Test("the example of RFC 8463, A")
    func published() throws {
        let message = """
            DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
             d=football.example.com; i=@football.example.com;
             q=dns/txt; s=brisbane; t=1528637909; h=from : to :
             subject : date : message-id : from : subject : date;
             bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
             b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
             Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
            From: Joe SixPack <joe@football.example.com>
            To: Suzie Q <suzie@shopping.example.net>
            Subject: Is dinner ready?
            Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
            Message-ID: <20030712040037.46341.5F8J@football.example.com>

            Hi.

            We lost the game.  Are you hungry yet?

            Joe.

            """.replacing("\n", with: "\r\n")
        let body = DKIMCanonical(Array(message.utf8)).body
        let hash = Data(SHA256.hash(data: body)).base64EncodedString()
        #expect(hash == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
        let secret = try #require(Data(base64Encoded: "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
        let key = try DKIMKey(
            selector: "brisbane", algorithm: .ed25519,
            pem: Curve25519.Signing.PrivateKey(rawRepresentation: secret).pemRepresentation, place: "")
        #expect(key.record == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        let verifier = DKIMVerifier(records: ["brisbane": key.record])
        #expect(verifier.verify(message) == ["brisbane": true])
        #expect(verifier.verify(message.replacing("dinner", with: "supper")) == ["brisbane": false])
    }
}

@Suite("DKIM signatures")
struct DKIMSignerTests {
    private static let rsa = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }
    private static let files = """
        {"domain": "club.example", "keys": [
          {"selector": "s2026a", "algorithm": "rsa-sha256", "file": "rsa.pem"},
          {"selector": "e2026a", "algorithm": "ed25519-sha256", "file": "ed.pem"}]}
        """

    private let signer: DKIMSigner
    private let verifier: DKIMVerifier
    private let message: MailMessage

    init() throws {
        let folder = try KeyFolder()
        defer { folder.remove() }
        try folder.write("rsa.pem", Self.rsa.get().pkcs8PEMRepresentation)
        try folder.write("ed.pem", Curve25519.Signing.PrivateKey().pemRepresentation)
        signer = try DKIMSigner(keysFile: folder.write("keys.json", Self.files))
        verifier = DKIMVerifier(
            records: Dictionary(uniqueKeysWithValues: signer.keys.map { ($0.selector, $0.record) }))
        var message = MailMessage(
            id: MailMessage.ID(), from: .init(name: "Club de l’économie", address: "info@club.example"),
            to: .init(name: "Zoé Lefèvre", address: "zoe@agence.example"), subject: "Flash info no 3",
            date: Date(timeIntervalSince1970: 1_805_000_000), text: "Bonjour,\n\n  voici   la suite.\n",
            html: "<p>Bonjour</p>",
            headers: [
                (name: "List-Id", value: "Flash info <flash-info.club.example>"),
                (name: "List-Unsubscribe", value: "<https://club.example/u/abc>"),
                (name: "List-Unsubscribe-Post", value: "List-Unsubscribe=One-Click"),
            ])
        message.replyTo = .init(name: nil, address: "contact@club.example")
        self.message = message
    }

    private func signed(_ message: MailMessage) -> String {
        String(decoding: signer.signed(message.bytes), as: UTF8.self)
    }

    private static let bothValid = ["s2026a": true, "e2026a": true]
    private static let bothInvalid = ["s2026a": false, "e2026a": false]

    @Test("both signatures are valid, come first, and are the same each time")
    func valid() throws {
        let text = signed(message)
        #expect(verifier.verify(text) == Self.bothValid)
        #expect(text == signed(message))
        #expect(text.hasSuffix(String(decoding: message.bytes, as: UTF8.self)))
        #expect(text.components(separatedBy: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        let fields = text.matches(of: /DKIM-Signature: ((?:[^\r]|\r\n )*)\r\n/).map { DKIMVerifier.tags(String($0.1)) }
        #expect(fields.map { $0["a"] } == ["rsa-sha256", "ed25519-sha256"])
        for tags in fields {
            #expect(tags["d"] == "club.example" && tags["t"] == "1805000000" && tags["c"] == "relaxed/relaxed")
            #expect(Set(tags.keys) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"])
            let names = (tags["h"] ?? "").components(separatedBy: ":")
            let counts = Dictionary(grouping: names, by: \.self).mapValues(\.count)
            #expect(
                counts == [
                    "From": 2, "To": 2, "Subject": 2, "Date": 2, "Message-ID": 2, "Reply-To": 2, "List-Unsubscribe": 2,
                    "List-Unsubscribe-Post": 2, "Content-Type": 2, "MIME-Version": 1, "List-Id": 1,
                ])
        }
    }

    @Test(
        "one changed letter in a signed field makes both invalid",
        arguments: [
            "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "List-Id",
            "List-Unsubscribe", "List-Unsubscribe-Post",
        ])
    func changedField(name: String) throws {
        let text = signed(message)
        let value = try #require(text.range(of: "\r\n\(name): ")).upperBound
        for letter in ["x", "X"] where !text[value...].hasPrefix(letter) {
            let changed = text.replacingCharacters(in: value...value, with: letter)
            #expect(verifier.verify(changed) == Self.bothInvalid, "\(letter)")
        }
    }

    @Test("one changed letter in the body makes both invalid, as do more and fewer lines")
    func changedBody() {
        let text = signed(message)
        for (old, new) in [
            ("voici", "voicj"), ("<p>", "<P>"), ("Bonjour,\r\n", "Bonjour,"), ("la suite", "lasuite"),
            ("--\r\n", "--\r\nAchetez !\r\n"),
        ] {
            #expect(text.contains(old) && verifier.verify(text.replacing(old, with: new)) == Self.bothInvalid, "\(old)")
        }
    }

    @Test(
        "a second field makes both invalid, above or below the first, and also where there was none",
        arguments: [
            "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post",
            "Content-Type",
        ], [true, false])
    func addedField(name: String, hasOne: Bool) throws {
        var message = message
        if !hasOne {
            message.headers = []
            message.replyTo = nil
        }
        let text = signed(message)
        #expect(verifier.verify(text) == Self.bothValid)
        for place in [text.startIndex, try #require(text.range(of: "\r\n\r\n")).lowerBound] {
            let field = "\(name): <https://x.example>"
            var changed = text
            changed.insert(contentsOf: place == text.startIndex ? "\(field)\r\n" : "\r\n\(field)", at: place)
            #expect(verifier.verify(changed) == Self.bothInvalid)
        }
    }

    @Test("what servers on the way may change leaves both valid")
    func relaxed() {
        let text = signed(message)
        for (old, new) in [
            ("\r\nSubject: Flash info", "\r\nSUBJECT :Flash \t info"), ("Flash info no 3", "Flash\r\n info no 3  "),
            ("\r\nFrom: ", "\r\nReceived: from x by y\r\nfrom:"), ("Bonjour,\r\n", "Bonjour, \t\r\n"),
            ("voici   la", "voici la"), ("--\r\n", "--\r\n\r\n \r\n"),
            ("DKIM-Signature: v=1;", "dkim-signature:  v=1;"),
        ] {
            #expect(text.contains(old) && verifier.verify(text.replacing(old, with: new)) == Self.bothValid, "\(old)")
        }
    }

    @Test("only mails from the domain and those below it are signed")
    func alignment() {
        for (sender, isSigned) in [
            ("info@club.example", true), ("info@news.club.example", true), ("info@notclub.example", false),
            ("info@example.org", false), ("info@club.example.org", false),
        ] as [(EmailAddress, Bool)] {
            #expect(signer.signs(for: sender) == isSigned)
            for name in [nil, "Club", "info@club.example"] {
                var message = message
                message.from = .init(name: name, address: sender)
                let bytes = message.bytes
                #expect((signer.signed(bytes) != bytes) == isSigned, "\(sender)")
            }
        }
    }

    @Test("an attachment is signed with the rest")
    func attachment() throws {
        var message = message
        message.attachments = [
            try Content.Attachment(type: "application/pdf", fileName: "été.pdf", bytes: Array("%PDF-1".utf8))
        ]
        let text = signed(message)
        #expect(verifier.verify(text) == Self.bothValid)
        #expect(verifier.verify(text.replacing("JVBERi0x", with: "JVBERi0y")) == Self.bothInvalid)
    }
}
