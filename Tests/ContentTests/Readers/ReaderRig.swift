import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit

@testable import Content

/// The content service, and a reader with the links of their mails.
struct ReaderRig {
    let content: TestService
    let maildir: String
    let email: EmailAddress

    var database: PostgresClient { content.backend.database }
    var links: SignedLinks { content.backend.links }

    static func run(
        _ email: EmailAddress = "zoe@agence.example", publicURL: String? = "https://club.example",
        adjust: (inout ServiceConfiguration) -> Void = { _ in }, _ body: (ReaderRig) async throws -> Void
    ) async throws {
        let maildir = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: maildir) }
        try await withService(
            ContentApplication.self,
            adjust: {
                $0.mailURL = "maildir:\(maildir)"
                $0.publicURL = publicURL
                adjust(&$0)
            }
        ) { try await body(ReaderRig(content: $0, maildir: maildir, email: email)) }
    }

    /// The token of a mail.
    ///
    /// - Parameter mail: one that exists nowhere, by default.
    func token(_ purpose: Suppression.Purpose = .flashInfo, of mail: UUID = UUID()) throws -> String {
        try ReaderLink(to: email, in: mail, leaving: purpose).token(at: .now, links)
    }

    /// The token of a link that was asked for.
    func askedToken() throws -> String { try ReaderLink(askedForBy: email).token(at: .now, links) }

    func click(_ token: String, headers: [String: String] = [:], body: String? = nil) async throws -> RawAnswer {
        try await content.raw(
            .post, "/v1/unsubscriptions/\(token)", headers: headers, body: body.map { Array($0.utf8) })
    }

    func page(_ token: String, _ method: HTTPRequest.Method = .get) async throws -> RawAnswer {
        try await content.raw(method, "/v1/preferences/\(token)")
    }

    /// Submits a form of the page.
    func submit(_ token: String, _ form: String) async throws -> RawAnswer {
        try await content.raw(
            .post, "/v1/preferences/\(token)", headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(form.utf8))
    }

    /// What is suppressed, and why: `flashInfo unsubscribed`.
    func suppressed() async throws -> [String] {
        try await database.query(
            "select concat_ws(' ', email, purpose, reason) as line from suppression order by email, purpose, reason"
        ).map { try $0["line"] }
    }

    /// Lets the reader have left that long ago.
    func leave(daysAgo days: Int) async throws {
        try await database.execute(
            "update suppression set unsubscribed_at = now() - make_interval(days => \(days)::integer)")
    }

    /// What the reader wants: `corporate,product monthly 2027-03-14`.
    func preferences() async throws -> [String] {
        try await database.query(
            """
            select concat_ws(' ', email, coalesce(array_to_string(kinds, ','), 'all'), rhythm, paused_until) as line
            from reader_preference order by email
            """
        ).map { try $0["line"] }
    }

    /// The changes of an entity in the feed.
    func changes(of entity: EntityName) async throws -> [Change] {
        try await content.client(.service).send(ReadChanges.request(query: .init())).items.filter {
            $0.entity == entity
        }
    }

    /// A mail that exists: an invitation, or a delivery.
    func mail(_ state: Delivery.State = .sent, issue: FlashInfo.ID? = nil) async throws -> UUID {
        let id = UUID()
        try await database.execute(
            """
            with mail as (
                insert into outgoing_mail (id, lane, priority, state, deadline)
                values (\(id), 'other', 2, \(state), now()) returning id
            )
            insert into letter (id, key, purpose, email, subject, paragraphs)
            select id, id::text, 'invitation', \(email), 'Invitation', '{Bonjour}' from mail
            """)
        return id
    }

    /// The departures that are noted beside the states of mails.
    func departures() async throws -> [String] {
        try await database.query(
            """
            select concat_ws(' ', mail, was_accepted, applied_at is not null) as line from mail_report
            where kind = 'departure' order by 1
            """
        ).map { try $0["line"] }
    }
}
