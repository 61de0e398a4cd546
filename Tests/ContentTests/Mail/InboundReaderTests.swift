import ClubProtocol
import Testing

@testable import Content

@Suite("mail that comes back")
struct InboundReaderTests {
    private func read(_ text: String) -> InboundReport { InboundReader.read(Array(text.utf8)) }

    /// A report in the form of RFC 3464.
    private func report(_ fields: String, text: String = "Voir le rapport.", to: String = "x@club.example") -> String {
        """
        From: Mail Delivery System <MAILER-DAEMON@mx.example>
        To: <\(to)>
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain; charset=utf-8

        \(text)

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example
        Original-Envelope-Id: QQ+2B314159

        \(fields)

        --b
        Content-Type: message/rfc822

        Return-Path: <return+tokenOfOurs@club.example>
        Message-ID: <0190-1@club.example>
        To: Paul <paul@entreprise.example>
        Subject: Flash info

        --b--
        """
    }

    private func notice(_ from: String, _ subject: String, _ text: String, fields: String = "") -> String {
        "From: \(from)\nTo: <return+abc123@club.example>\nSubject: \(subject)\n\(fields)Content-Type: text/plain; charset=utf-8\n\n\(text)\n"
    }

    private func bounce(_ text: String, _ location: SourceLocation = #_sourceLocation) throws -> Bounce {
        let report = read(text)
        guard case .bounce(let bounces) = report.kind else {
            Issue.record("it is \(report.kind)", sourceLocation: location)
            throw CancellationError()
        }
        return try #require(bounces.first, sourceLocation: location)
    }

    @Test("an address that is gone is hard, and its delivery is found by token, envelope and Message-ID")
    func failed() throws {
        let text = report(
            """
            Final-Recipient: rfc822; p.durand@interne.example
            Original-Recipient: rfc822; paul@entreprise.example
            Action: failed
            Status: 5.1.1
            Diagnostic-Code: smtp; 550 5.1.1 <p.durand@interne.example>: Recipient address
                rejected: User unknown
            """, to: "return+a1-B2_c3@club.example")
        let bounce = try bounce(text)
        #expect(bounce.recipient == "paul@entreprise.example")
        #expect(bounce.status?.description == "5.1.1")
        #expect(bounce.replyCode == 550)
        #expect(bounce.replyClass == .addressGone)
        #expect(bounce.isHard)
        let references = read(text).references
        #expect(references.returnToken == "a1-B2_c3")
        #expect(references.envelopeID == "QQ+314159")
        #expect(references.messageIDs == ["<0190-1@club.example>"])
        #expect(references.recipients == ["paul@entreprise.example", "p.durand@interne.example"])
    }

    @Test("without a token of its own, that of the quoted message counts")
    func quotedToken() {
        #expect(
            read(report("Final-Recipient: rfc822; a@b.example\nAction: failed")).references.returnToken == "tokenOfOurs"
        )
    }

    @Test("full mailboxes, refusals of us and programs behind an address are not hard")
    func soft() throws {
        for (status, diagnostic, outcome) in [
            ("5.2.2", "smtp; 552 5.2.2 Mailbox full", ReplyClass.mailboxFull),
            ("5.7.1", "smtp; 554 5.7.1 Client host blocked using zen.spamhaus.org", .refusedSender),
            ("4.4.7", "smtp; 421 Too many connections", .slowDown),
            ("5.2.1", "smtp; 550 5.2.1 The account is disabled", .addressGone),
            ("5.1.1", "x-unix; procmail: no such user", .addressGone),
            ("5.0.0", "smtp; 554 user unknown", .addressGone),
        ] {
            let bounce = try bounce(
                report(
                    "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: \(status)\nDiagnostic-Code: \(diagnostic)"
                ))
            #expect(bounce.replyClass == outcome, "\(diagnostic)")
            #expect(!bounce.isHard, "\(diagnostic)")
        }
    }

    @Test("a domain that is gone is hard, one whose name servers are silent is not")
    func hosts() throws {
        let gone =
            "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.2\nDiagnostic-Code: smtp; 550 Host unknown"
        #expect(try bounce(report(gone)).isHard)
        let silent =
            "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host not found, try again"
        #expect(try !bounce(report(silent)).isHard)
    }

    @Test("delayed and delivered are told from failed")
    func actions() {
        let delayed = read(report("Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.4"))
        #expect(delayed.name == "delayed")
        #expect(delayed.bounces.map(\.isHard) == [false])
        for action in ["delivered", "relayed", "expanded"] {
            #expect(
                read(report("Final-Recipient: rfc822; a@b.example\nAction: \(action)\nStatus: 2.1.5")).name
                    == "delivered")
        }
        let mixed = read(
            report(
                "Final-Recipient: rfc822; a@b.example\nAction: delivered\n\nFinal-Recipient: rfc822; c@b.example\nAction: failed\nStatus: 5.1.1"
            ))
        #expect(mixed.bounces.map(\.recipient) == ["c@b.example"])
    }

    @Test(
        "servers say it in French",
        arguments: [
            (
                "Administrateur système <postmaster@orange.example>", "Non remis : Flash info",
                "Votre message n'a pas pu être délivré à :\n\n  paul@entreprise.example\n    550 5.1.1 Adresse d au moins un destinataire invalide. OFR_416",
                true
            ),
            (
                "postmaster@laposte.example", "Avis de non remise",
                "Échec de la remise pour ces destinataires ou groupes :\n\npaul@entreprise.example<mailto:paul@entreprise.example>\nBoîte aux lettres pleine.",
                false
            ),
            (
                "MAILER-DAEMON@free.example", "Votre message n'a pas pu etre envoye",
                "Bonjour,\nvotre message adressé à paul@entreprise.example n'a pas été remis : utilisateur inconnu.",
                true
            ),
            (
                "service@entreprise.example", "RE: Flash info : non remis",
                "Votre message n'a pas pu etre delivre a\npaul@entreprise.example", false
            ),
        ])
    func french(from: String, subject: String, text: String, isHard: Bool) throws {
        let bounce = try bounce(notice(from, subject, text))
        #expect(bounce.recipient == "paul@entreprise.example")
        #expect(bounce.isHard == isHard, "\(bounce)")
        #expect(read(notice(from, subject, text)).references.returnToken == "abc123")
    }

    @Test("qmail, Exim, Exchange and Domino say it in their words")
    func programs() throws {
        let qmail = notice(
            "MAILER-DAEMON@mx.example", "failure notice",
            """
            Hi. This is the qmail-send program at mx.example.
            I'm afraid I wasn't able to deliver your message to the following addresses.

            <paul@entreprise.example>:
            Sorry, no mailbox here by that name. (#5.1.1)

            --- Below this line is a copy of the message.

            Return-Path: <return+zzz@club.example>
            Message-ID: <7@club.example>
            To: <autre@entreprise.example>
            """)
        #expect(try bounce(qmail).isHard)
        #expect(try bounce(qmail).recipient == "paul@entreprise.example")
        #expect(read(qmail).references.messageIDs == ["<7@club.example>"])
        let exim = notice(
            "Mail Delivery System <Mailer-Daemon@mx.example>", "Mail delivery failed: returning message to sender",
            """
            A message that you sent could not be delivered to one or more of its
            recipients. The following address(es) failed:

              paul@entreprise.example
                SMTP error from remote mail server after MAIL FROM:<return+abc123@club.example>:
                550 sender verify failed: user unknown
            """, fields: "X-Failed-Recipients: paul@entreprise.example\nAuto-Submitted: auto-replied\n")
        #expect(try !bounce(exim).isHard)
        let exchange = notice(
            "Microsoft Outlook <postmaster@entreprise.example>", "Undeliverable: Flash info",
            "Your message\n\n  To: Paul\n  Subject: Flash info\n\ndid not reach the following recipient(s):\n\npaul@entreprise.example on Fri, 1 Mar 2024\n    The recipient name is not recognized: Unknown Recipient"
        )
        #expect(try bounce(exchange).isHard)
        let domino = notice(
            "Postmaster@entreprise.example", "DELIVERY FAILURE: User Paul (paul@entreprise.example) not listed",
            "Your message\n\n  Subject: Flash info\n\nwas not delivered to:\n\n  paul@entreprise.example\n\nbecause:\n\n  User Paul not listed in Domino Directory"
        )
        #expect(try bounce(domino).isHard)
    }

    @Test("a text without a status is hard only where it says so by itself")
    func vague() throws {
        let fields = "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0"
        #expect(try !bounce(report(fields, text: "<a@b.example>: user unknown")).isHard)
        #expect(try bounce(report(fields, text: "<a@b.example>: user unknown")).replyClass == .addressGone)
        let gone = "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1"
        #expect(try bounce(report(gone)).isHard)
        #expect(try !bounce(report(gone, text: "Not enough disk space")).isHard)
        let exchange =
            "Your message\n\ndid not reach the following recipient(s):\n\na@b.example on 1/2/03\n  Recipient not found\n  MSEXCH:IMS:X"
        #expect(try !bounce(notice("postmaster@b.example", "Undeliverable: x", exchange)).isHard)
        #expect(try bounce(notice("postmaster@b.example", "Undeliverable: x", exchange + " 0 (000C05A6)")).isHard)
    }

    @Test("a report that a virus filter attached to its own notice is read")
    func wrapped() throws {
        let inner = report("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1")
        let text =
            "From: postmaster@b.example\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: message/rfc822\n\n\(inner)\n--outer--\n"
        #expect(try bounce(text).recipient == "a@b.example")
    }

    @Test("an address in a sentence is a recipient where the sentence says so, and ours never is")
    func sentences() throws {
        func recipient(_ text: String) throws -> EmailAddress? {
            try bounce(notice("MAILER-DAEMON@b.example", "Delivery failure", text)).recipient
        }
        #expect(
            try recipient("Your message to a@b.example could not be delivered. Write to help@b.example.")
                == "a@b.example")
        #expect(try recipient("It could not be delivered: they take no mail from\nreturn+abc123@club.example.") == nil)
        #expect(
            try recipient(
                "Undeliverable: if\nnom@b.example fails, try another.\n\n<a@b.example>\n  (expanded from: <c@b.example>)\n"
            ) == "c@b.example")
    }

    @Test("a complaint is one, also where the recipient is blacked out")
    func complaints() {
        func arf(_ fields: String) -> InboundReport {
            read(
                "From: fbl@signal.example\nTo: <return+t0ken@club.example>\nAuto-Submitted: auto-generated\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nUndeliverable? No, a complaint.\n--b\nContent-Type: message/feedback-report\n\n\(fields)\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <9@club.example>\nTo: <redacted>\n\n--b--\n"
            )
        }
        let report = arf("Feedback-Type: ABUSE\nOriginal-Rcpt-To: <paul@entreprise.example>\nUser-Agent: x")
        guard case .complaint(let complaint) = report.kind else {
            Issue.record("it is \(report.kind)")
            return
        }
        #expect(complaint.feedbackType == "abuse")
        #expect(complaint.recipients == ["paul@entreprise.example"])
        let redacted = arf("Feedback-Type: abuse\nOriginal-Rcpt-To: redacted@")
        #expect(redacted.name == "complaint")
        #expect(redacted.references.returnToken == "t0ken")
        #expect(redacted.references.messageIDs == ["<9@club.example>"])
        #expect(arf("Feedback-Type: not-spam").name == "automatic")
    }

    @Test("absences and other automatic answers count as nothing")
    func automatic() {
        let text = "Je suis absent. Votre message n'a pas été remis à mon remplaçant."
        for (subject, fields) in [
            ("Re: Flash info", "Auto-Submitted: auto-replied\n"), ("Re: Flash info", "X-Autoreply: yes\n"),
            ("Re: Flash info", "Precedence: auto_reply\n"), ("Réponse automatique : Flash info", ""),
            ("=?iso-8859-1?Q?R=E9ponse_automatique_?= : Flash", ""), ("Absence du bureau", ""),
            ("Out of Office: Flash info", ""), ("Automatic reply: unsubscribe", ""),
        ] {
            #expect(
                read(notice("paul@entreprise.example", subject, text, fields: fields)).name == "automatic", "\(subject)"
            )
        }
        #expect(read(notice("paul@entreprise.example", "Re: x", text, fields: "Auto-Submitted: no\n")).name == "reply")
    }

    @Test(
        "a departure is told by its subject",
        arguments: ["unsubscribe", "Désinscription", "DESINSCRIPTION", "=?utf-8?q?d=C3=A9sinscription?="])
    func departure(subject: String) {
        let report = read(notice("Paul <paul@entreprise.example>", subject, ""))
        #expect(report.name == "departure")
        #expect(report.references.returnToken == "abc123")
        #expect(report.references.recipients == ["paul@entreprise.example"])
    }

    @Test("what people write goes to the editors")
    func replies() {
        let report = read(
            notice(
                "Paul Durand <paul@entreprise.example>", "Re: Undeliverable: flash info",
                "Bonjour,\nvotre message n'a pas pu être remis à mon collègue\nanne@entreprise.example.",
                fields: "In-Reply-To: <1@club.example>\nReferences: <0@club.example> <1@club.example>\n"))
        #expect(report.name == "reply")
        #expect(report.references.messageIDs == ["<1@club.example>", "<0@club.example>"])
    }

    @Test("what is not understood is unread, and never lost")
    func unread() {
        #expect(read("").name == "unread")
        #expect(read("\u{0}\u{1}").name == "unread")
        #expect(read("Subject: x\n\ntexte").name == "unread")
        #expect(read(notice("MAILER-DAEMON@mx.example", "Hm", "Something odd happened.")).name == "unread")
        #expect(read(notice("no-reply@mx.example", "Merci", "Votre demande est enregistrée.")).name == "unread")
    }

    @Test("a diagnostic has no control characters, and an end")
    func diagnostics() throws {
        let long = String(repeating: "é\u{0}\u{7F}", count: 5000)
        let bounce = try bounce(
            report("Final-Recipient: rfc822; a@b.example\nAction: failed\nDiagnostic-Code: smtp; 550 \(long)"))
        #expect(bounce.diagnostic.utf8.count <= Bounce.longestDiagnostic + 3)
        #expect(bounce.diagnostic.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
    }

    @Test("20 MB and 1,000 levels are read like others")
    func large() {
        let start = notice("MAILER-DAEMON@mx.example", "failure notice", "<a@b.example>:\nuser unknown\n")
        let large = Array(start.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 21 << 20)
        #expect(InboundReader.read(large).bounces.map(\.recipient) == ["a@b.example"])
        let nested = (0..<1000).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        #expect(read("From: MAILER-DAEMON@mx.example\n" + nested + "\n" + start).name == "unread")
    }
}
