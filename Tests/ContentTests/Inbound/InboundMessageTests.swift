import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("what comes back")
struct InboundMessageTests {
    // MARK: Finding the mail

    @Test("a bounce finds its mail by token, envelope, Message-ID or recipient, and which way is written down")
    func found() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example", "b@x.example", "c@x.example", "d@x.example"])
            func mail(_ name: String) throws -> MailMessage.ID { try #require(mails["\(name)@x.example"]) }
            let plain = "club@club.example"
            let byToken = try await rig.take(
                InboundRig.report(to: try rig.returnAddress(of: mail("a")), "forwarded@elsewhere.example"))
            let byEnvelope = try await rig.take(
                InboundRig.report(to: plain, "else@x.example").replacing(
                    "Reporting-MTA: dns; mx.example",
                    with: "Reporting-MTA: dns; mx.example\nOriginal-Envelope-Id: \(try mail("b"))"))
            let byMessageID = try await rig.take(
                InboundRig.report(
                    to: plain, "else@x.example", quoting: "Message-ID: <\(try mail("c"))@club.example>"))
            let byRecipient = try await rig.take(InboundRig.report(to: plain, "D@x.example"))
            for (message, name, way) in [
                (byToken, "a", InboundMessage.FoundBy.returnToken), (byEnvelope, "b", .envelopeID),
                (byMessageID, "c", .messageID), (byRecipient, "d", .recipient),
            ] {
                #expect(message.state == .read)
                #expect(message.kind == .bounce)
                #expect(message.foundBy == way)
                #expect(message.delivery?.uuid == (try mail(name)).uuid)
            }
            #expect(
                try await rig.suppressed().keys.sorted() == [
                    "a@x.example", "b@x.example", "c@x.example", "d@x.example",
                ])
            #expect(try await rig.suppressed().values.allSatisfy { $0 == .bounced })
        }
    }

    @Test("the recipient alone finds no mail older than seven days; the report waits for people")
    func old() async throws {
        try await InboundRig.run { rig in
            _ = try await rig.sent(to: ["a@x.example"])
            try await rig.room.database.execute("update outgoing_mail set updated_at = now() - interval '8 days'")
            let message = try await rig.take(InboundRig.report(to: "club@club.example", "a@x.example"))
            #expect(message.state == .unread)
            #expect(message.reason == "a bounce, but it is not known of which mail")
            #expect(try await rig.suppressed().isEmpty)
            try await eventually("health says so") {
                try await rig.room.content.operatorPage("/health/ready").text
                    .contains("one message that came back is not understood")
            }
        }
    }

    @Test("the same message counts once, however often and by whichever way it comes")
    func once() async throws {
        try await InboundRig.run { rig in
            let (issue, mails) = try await rig.sent(to: ["a@x.example"])
            let mail = try #require(mails["a@x.example"])
            let report = InboundRig.report(to: try rig.returnAddress(of: mail), "a@x.example")
            let first = try await rig.take(report)
            let again = try await rig.room.content.raw(
                .post, "/v1/inbound-messages", role: .service, headers: ["Content-Type": "message/rfc822"],
                body: Array(report.utf8))
            #expect(again.status == 200)
            #expect(try again.decode(InboundMessage.self).id == first.id)
            // The same in the Maildir, and another report of the same mail.
            try report.write(toFile: "\(rig.inbox)/new/1.a", atomically: true, encoding: .utf8)
            try (report + "\n.").write(toFile: "\(rig.inbox)/cur/2.b:2,S", atomically: true, encoding: .utf8)
            try await eventually("the inbox is empty") {
                try FileManager.default.contentsOfDirectory(atPath: "\(rig.inbox)/new").isEmpty
                    && FileManager.default.contentsOfDirectory(atPath: "\(rig.inbox)/cur").isEmpty
            }
            try await eventually("both are read") {
                try await rig.room.database.query("select from inbound_message where state = 'read'").count == 2
            }
            #expect(try await rig.reports(of: mail) == ["bounce"])
            let counted = try await rig.room.database.first(
                "select sum(count)::integer as count from delivery_report_count where issue = \(issue)")
            #expect(try counted?["count"] == 1)
        }
    }

    // MARK: What is counted as what

    @Test("a delay, a success, an absence and an answer count as nothing")
    func nothing() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example"])
            let mail = try #require(mails["a@x.example"])
            let address = try rig.returnAddress(of: mail)
            let delayed = try await rig.take(
                InboundRig.report(to: address, "a@x.example", "Action: delayed\nStatus: 4.4.1"))
            let delivered = try await rig.take(
                InboundRig.report(to: address, "a@x.example", "Action: delivered\nStatus: 2.0.0"))
            let absent = try await rig.take(
                "From: a@x.example\nTo: \(address)\nAuto-Submitted: auto-replied\nSubject: Absente\n\nJe reviens.\n")
            let reply = try await rig.take(
                "From: Zoe <a@x.example>\nTo: \(address)\nSubject: Re: Flash info\n\nMerci !\n")
            #expect([delayed, delivered, absent, reply].map(\.kind) == [.delayed, .delivered, .automatic, .reply])
            #expect(reply.writer == "a@x.example")
            #expect(reply.subject == "Re: Flash info")
            #expect(reply.delivery?.uuid == mail.uuid)
            #expect(try await rig.reports(of: mail).isEmpty)
            #expect(try await rig.suppressed().isEmpty)
        }
    }

    @Test("a complaint suppresses at once; what a provider posts counts like a mail, once")
    func complaint() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example", "b@x.example"])
            let a = try #require(mails["a@x.example"])
            let service = try rig.room.content.client(.service)
            let body = TakeBounce.Body(
                kind: .complaint, email: "a@x.example", messageID: try Line(validating: "<\(a)@club.example>"))
            let taken = try await rig.read(try await service.send(TakeBounce.request(body: body)).id)
            #expect(taken.kind == .complaint)
            #expect(taken.foundBy == .messageID)
            #expect(taken.source == .provider)
            #expect(try await service.send(TakeBounce.request(body: body)).id == taken.id)
            let hard = try await rig.read(
                try await service.send(
                    TakeBounce.request(
                        body: .init(
                            kind: .bounce, email: "b@x.example", status: "5.1.1", diagnostic: "550 5.1.1 User unknown"))
                ).id)
            #expect(hard.foundBy == .recipient)
            #expect(try await rig.suppressed() == ["a@x.example": .complaint, "b@x.example": .bounced])
        }
    }

    @Test("who writes to the address of List-Unsubscribe leaves; who only has the address of a reader does not")
    func departure() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example", "b@x.example"])
            let a = try #require(mails["a@x.example"])
            let left = try await rig.take(
                "From: somebody@else.example\nTo: \(try rig.returnAddress(of: a))\nSubject: desinscription\n\n")
            #expect(left.kind == .departure)
            #expect(try await rig.reports(of: a) == ["departure"])
            let forged = try await rig.take(
                "From: b@x.example\nTo: return@club.example\nSubject: desinscription\n\n")
            #expect(forged.state == .unread)
            #expect(forged.reason?.contains("not certain who") == true)
            let rows = try await rig.room.database.query("select email, reason, purpose from suppression")
            #expect(rows.count == 1)
            #expect(try rows.first?["email"] == "a@x.example")
            #expect(try rows.first?["purpose"] == "flashInfo")
        }
    }

    // MARK: People

    @Test("what a person writes is sent on to the editors, who answer the person; their own answer is not")
    func reply() async throws {
        try await InboundRig.run { rig in
            let message = try await rig.take(
                "From: Zoé <zoe@x.example>\nTo: return@club.example\nSubject: Re: Flash info\n\nBravo !\n\nEt merci.\n")
            #expect(message.kind == .reply)
            let letters = try await rig.room.staff().send(
                ListLetters.request(query: .init(.init(email: "redaction@club.example")))
            ).items
            let letter = try #require(letters.first)
            #expect(letters.count == 1)
            #expect(letter.subject == "Réponse d’un lecteur\u{A0}: Re: Flash info")
            #expect(letter.replyTo == "zoe@x.example")
            let paragraphs = try await rig.room.database.first("select paragraphs from letter where id = \(letter.id)")
            #expect(
                try paragraphs?["paragraphs", as: [String].self] == [
                    "zoe@x.example a répondu à un envoi du club. Répondre à ce message lui répond.", "Bravo !",
                    "Et merci.",
                ])
            let own = try await rig.take("From: redaction@club.example\nSubject: Re: Flash info\n\nOui.\n")
            #expect(own.state == .unread)
        }
    }

    @Test("what could not be read is told by people, and then does the same; once")
    func byPeople() async throws {
        try await InboundRig.run { rig in
            let (_, mails) = try await rig.sent(to: ["a@x.example"])
            let mail = try #require(mails["a@x.example"])
            let message = try await rig.take("Subject: ?\n\nQuelque chose.\n")
            #expect(message.state == .unread)
            let editor = try rig.room.editor()
            func say(_ body: TransitionInboundMessage.Body) async throws -> InboundMessage {
                try await editor.send(TransitionInboundMessage.request(path: message.id, body: body))
            }
            #expect(try await problem { try await say(.init(kind: .bounce)) }?.slug == "invalid")
            #expect(
                try await problem { try await say(.init(kind: .bounce, delivery: .init())) }?.slug == "invalid")
            #expect(
                try await problem { try await say(.init(to: .new, kind: .bounce)) }?.slug == "transition-not-allowed")
            let said = try await say(.init(kind: .bounce, delivery: .init(mail.uuid), isHard: true))
            #expect(said.state == .read)
            #expect(said.reason == nil)
            #expect(try await rig.read(message.id).delivery?.uuid == mail.uuid)
            #expect(try await rig.suppressed() == ["a@x.example": .bounced])
            #expect(
                try await problem { try await say(.init(kind: .automatic)) }?.slug == "transition-not-allowed")
        }
    }

    @Test("the message is shown as it came, until thirty days after it was read; what is unread is kept")
    func source() async throws {
        try await InboundRig.run { rig in
            let automatic = "From: a@x.example\nAuto-Submitted: auto-replied\nSubject: Absente\n\nÀ bientôt\n"
            let read = try await rig.take(automatic)
            let unread = try await rig.take("Subject: ?\n\n")
            let path = "/v1/inbound-messages/\(read.id)/source"
            let shown = try await rig.room.content.raw(.get, path, role: .editor)
            #expect(shown.body == Array(automatic.utf8))
            #expect(shown.headers["content-disposition"]?.hasPrefix("attachment") == true)
            try await rig.room.database.execute(
                "update inbound_message set received_at = received_at - interval '31 days'")
            try await InboundStore.forget(on: rig.room.database)
            #expect(try await rig.room.content.raw(.get, path, role: .editor).status == 404)
            #expect(
                try await rig.room.content.raw(.get, "/v1/inbound-messages/\(unread.id)/source", role: .editor).status
                    == 200)
        }
    }

    @Test("a message on which reading fails is left to people, and does not hold up the others")
    func poison() async throws {
        try await InboundRig.run { rig in
            // Reading what no provider sent fails.
            try await rig.room.database.execute(
                """
                insert into inbound_message (id, digest, source, bytes)
                values (gen_random_uuid(), sha256('x'), 'provider', 'garbage')
                """)
            let other = try await rig.take("From: a@x.example\nSubject: Merci\n\nMerci.\n")
            #expect(other.kind == .reply)
            try await eventually("it is left to people") {
                try await rig.room.database.query(
                    "select from inbound_message where state = 'unread' and reason = 'reading it failed several times'"
                ).count == 1
            }
        }
    }

    @Test("lists come in pages, by state and kind")
    func list() async throws {
        try await InboundRig.run { rig in
            for number in 1...5 { _ = try await rig.take("From: a\(number)@x.example\nSubject: Re\n\nMerci.\n") }
            _ = try await rig.take("Subject: ?\n\n")
            let editor = try rig.room.editor()
            let first = try await editor.send(
                ListInboundMessages.request(query: .init(.init(state: .read), limit: 3)))
            #expect(first.items.count == 3)
            let second = try await editor.send(
                ListInboundMessages.request(query: .init(.init(state: .read), limit: 3, cursor: first.next)))
            #expect(second.items.count == 2)
            #expect(second.next == nil)
            #expect(
                try await editor.send(ListInboundMessages.request(query: .init(.init(kind: .bounce)))).items.isEmpty)
        }
    }
}
