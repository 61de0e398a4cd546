import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit

@testable import Content

typealias FlashInfo = ClubProtocol.Issue

/// The content service without a directory: what the directory would list, a test writes.
struct Mailroom: Sendable {
    let content: TestService

    var database: PostgresClient { content.backend.database }

    func editor() throws -> ServiceClient { try content.client(.editor) }
    func staff() throws -> ServiceClient { try content.client(.operator) }

    /// Runs it with a Maildir, or with the mail server that `mailURL` names.
    static func run(
        mailURL: String? = nil, adjust: @escaping @Sendable (inout ServiceConfiguration) -> Void = { _ in },
        _ body: (Mailroom, _ maildir: String) async throws -> Void
    ) async throws {
        let maildir = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: maildir) }
        try await withService(
            ContentApplication.self,
            adjust: {
                $0.mailURL = mailURL ?? "maildir:\(maildir)"
                adjust(&$0)
            }
        ) { try await body(Mailroom(content: $0), maildir) }
    }

    /// An issue that is a draft, with an item for everybody.
    func draft(resource: Resource.ID? = nil) async throws -> FlashInfo.ID {
        let issue = try await editor().send(CreateIssue.request(body: .init(title: "Flash info"))).id
        _ = try await editor().send(
            AddIssueItem.request(
                path: issue, body: .init(kind: .product, title: "Pour tous", text: "Du texte.", resource: resource)))
        return issue
    }

    /// An issue whose deliveries are frozen, in this state.
    ///
    /// - Parameter lane: of each domain; `other` by default.
    func issue(
        to readers: [String], lanes: [String: String] = [:], state: FlashInfo.State = .sending
    ) async throws -> FlashInfo.ID {
        let issue = try await draft()
        try await database.transaction { transaction in
            try await IssueStore.openEditions(of: issue, in: transaction)
            try await DeliveryStore.add(
                readers.map { email in
                    .init(
                        AudienceMember(
                            entity: .expert, name: "Agence", email: try EmailAddress(validating: email)))
                },
                issue: issue, audience: .experts, lanes: lanes, deadline: 3600, in: transaction)
            for audience in Edition.Audience.allCases {
                try await IssueStore.markResolved(issue, audience, in: transaction)
            }
            try await IssueStore.transition(issue, to: .sending, in: transaction)
            try await IssueStore.markFrozen(issue, in: transaction)
            if state != .sending { try await IssueStore.transition(issue, to: state, in: transaction) }
            try await OutgoingMailStore.notify(in: transaction)
        }
        return issue
    }

    /// How a mail has ended, without sending it.
    func end(_ email: String, _ state: Delivery.State, _ meaning: ReplyClass? = nil) async throws {
        try await database.execute(
            """
            update outgoing_mail set state = \(state), class = \(meaning), reply = 'said so', attempt = 1
            where id in (select id from delivery where email = \(email))
            """)
    }

    func get(_ issue: FlashInfo.ID) async throws -> FlashInfo {
        try await editor().send(GetIssue.request(path: issue))
    }

    @discardableResult
    func transition(_ issue: FlashInfo.ID, to state: FlashInfo.State, at time: Timestamp? = nil) async throws
        -> FlashInfo
    {
        try await editor().send(TransitionIssue.request(path: issue, body: .init(to: state, scheduledFor: time)))
    }

    /// Waits until an issue is in a state.
    @discardableResult
    func until(_ issue: FlashInfo.ID, is state: FlashInfo.State) async throws -> FlashInfo {
        try await eventually("issue \(state)") { try await get(issue).state == state }
        return try await get(issue)
    }

    /// The state of each mail, by address.
    func states() async throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try await database.query(
                "select email, state from delivery join outgoing_mail using (id)"
            ).map { (try $0["email"], try $0["state"]) })
    }

    /// How many mails are in one of these states.
    func count(_ states: Delivery.State...) async throws -> Int {
        let row = try await database.first(
            "select count(*) as count from outgoing_mail where state = any(\(states.map(\.rawValue)))")
        return try row?["count"] ?? 0
    }

    /// Where the counts that are kept differ from the mails, in one snapshot.
    func miscounted() async throws -> [String] {
        try await database.query(
            """
            with kept as (
                select issue, audience, lane, state, sum(count) as count from delivery_count
                group by issue, audience, lane, state having sum(count) <> 0
            ), counted as (
                select issue, audience, lane, state, count(*)::numeric as count from outgoing_mail where issue is not null
                group by issue, audience, lane, state
            )
            (select format('kept: %s %s %s', lane, state, count) as fault from (table kept except table counted) as more)
            union all
            (select format('counted: %s %s %s', lane, state, count) from (table counted except table kept) as less)
            """
        ).map { try $0["fault"] }
    }

    func missed(_ issue: FlashInfo.ID, _ reason: MissedDelivery.Reason? = nil) async throws -> [MissedDelivery] {
        try await editor().send(ListMissed.request(path: issue, query: .init(.init(reason: reason)))).items
    }
}
