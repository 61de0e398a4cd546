import ClubProtocol
import Postgres
import ServiceKit

/// Makes the messages of issues. An issue is read once for each version of its content: a mail says which it had when it
/// was claimed, and is begun only if that is still the present one.
actor FlashInfoComposer: MailComposer {
    /// The issue is gone, or the mail is none of an issue.
    struct NoIssue: Error {}

    private static let most = 16

    private let backend: Backend
    private let renderer: FlashInfoRenderer
    private let sender: EmailAddress
    private let returnPath: ReturnPath?
    private var issues: [ClubProtocol.Issue.ID: ClubProtocol.Issue] = [:]

    init(backend: Backend, renderer: FlashInfoRenderer, sender: EmailAddress, returnPath: ReturnPath?) {
        self.backend = backend
        self.renderer = renderer
        self.sender = sender
        self.returnPath = returnPath
    }

    nonisolated func message(for mail: OutgoingMail) async throws -> MailMessage {
        guard let id = mail.issue, let audience = mail.audience else { throw NoIssue() }
        let issue = try await issue(id, atLeast: mail.contentVersion ?? 1)
        let link = try UnsubscribeLink(
            for: mail.email, in: mail.id.uuid, from: .flashInfo, at: mail.createdAt, in: backend.links,
            of: backend.configuration.publicURL, to: returnPath?.address(of: mail.id) ?? sender)
        return renderer.message(issue, audience, for: mail, from: sender, unsubscribing: link)
    }

    private func issue(
        _ id: ClubProtocol.Issue.ID, atLeast version: Int
    ) async throws -> ClubProtocol.Issue {
        if let issue = issues[id], issue.contentVersion >= version { return issue }
        guard let issue = try await IssueStore.get(id, on: backend.database).first?.decode(ClubProtocol.Issue.self)
        else {
            throw NoIssue()
        }
        if issues.count >= Self.most { issues.removeAll() }
        issues[id] = issue
        return issue
    }
}
