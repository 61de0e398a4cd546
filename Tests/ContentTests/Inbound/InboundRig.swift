import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit

@testable import Content

/// What may come back about the mails of a ``Mailroom``, and what became of it.
struct InboundRig: Sendable {
    let room: Mailroom
    let inbox: String

    static func run(_ body: (InboundRig) async throws -> Void) async throws {
        let inbox = NSTemporaryDirectory() + "inbox-\(UUID().uuidString)"
        for folder in ["tmp", "new", "cur"] {
            try FileManager.default.createDirectory(
                atPath: "\(inbox)/\(folder)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: inbox) }
        try await Mailroom.run(adjust: {
            $0.mailReturn = "return@club.example"
            $0.mailInbox = inbox
            $0.editorsEmail = "redaction@club.example"
        }) { room, _ in try await body(InboundRig(room: room, inbox: inbox)) }
    }

    /// Deliveries that were accepted, by address, of an issue that is being sent.
    func sent(to readers: [String], lanes: [String: String] = [:]) async throws -> (
        issue: FlashInfo.ID, mails: [String: MailMessage.ID]
    ) {
        // Paused, so that nothing is sent by itself.
        let issue = try await room.issue(to: readers, lanes: lanes, state: .paused)
        try await room.database.execute(
            "update outgoing_mail set state = 'sent', attempt = 1, updated_at = now() where issue = \(issue)")
        let rows = try await room.database.query("select id, email from delivery where issue = \(issue)")
        return (issue, Dictionary(uniqueKeysWithValues: try rows.map { (try $0["email"], try $0["id"]) }))
    }

    /// The envelope sender of a mail.
    func returnAddress(of mail: MailMessage.ID) throws -> String {
        try ReturnPath("return@club.example", links: room.content.backend.links).address(of: mail).text
    }

    /// A report by a mail server, as Postfix writes it.
    ///
    /// - Parameter fields: of the recipient; by default a permanent failure.
    static func report(
        to address: String, _ recipient: String,
        _ fields: String = """
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 User unknown
        """, quoting header: String = ""
    ) -> String {
        """
        Return-Path: <>
        From: MAILER-DAEMON@mx.example (Mail Delivery System)
        To: \(address)
        Subject: Undelivered Mail Returned to Sender
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

        --b1
        Content-Type: text/plain

        Delivery report.

        --b1
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example

        Final-Recipient: rfc822; \(recipient)
        \(fields)

        --b1
        Content-Type: text/rfc822-headers

        From: club@club.example
        \(header)
        --b1--

        """
    }

    func post(_ message: String) async throws -> InboundMessage.ID {
        let answer = try await room.content.raw(
            .post, "/v1/inbound-messages", role: .service, headers: ["Content-Type": "message/rfc822"],
            body: Array(message.utf8))
        return try answer.decode(InboundMessage.self).id
    }

    func message(_ id: InboundMessage.ID) async throws -> InboundMessage {
        try await room.editor().send(GetInboundMessage.request(path: id))
    }

    /// The message once it has been read, and what follows from it was done.
    func read(_ id: InboundMessage.ID) async throws -> InboundMessage {
        try await eventually("the message is read") { try await message(id).state != .new }
        try await eventually("reports are applied") {
            try await room.database.query("select from mail_report where applied_at is null").isEmpty
        }
        return try await message(id)
    }

    /// Posts a message and waits until it is read.
    func take(_ message: String) async throws -> InboundMessage { try await read(try await post(message)) }

    /// Why each address is not mailed.
    func suppressed() async throws -> [String: Suppression.Reason] {
        Dictionary(
            uniqueKeysWithValues: try await room.database.query("select email, reason from suppression").map {
                (try $0["email"], try $0["reason"])
            })
    }

    /// The reports about a mail: their kinds.
    func reports(of mail: MailMessage.ID) async throws -> [String] {
        try await room.database.query("select kind from mail_report where mail = \(mail) order by kind").map {
            try $0["kind"]
        }
    }
}
