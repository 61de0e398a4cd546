import ClubProtocol
import CommandKit
import ServiceKit

/// A Flash info with something for everyone, sent to all who consented.
struct DemoFlashInfo: Sendable {
    static let title: Line = "Flash info\u{A0}: la facture électronique arrive"

    let content: ServiceClient

    func send() async throws -> Demo.Outcome {
        let known = try await content.all(ListIssues.self) {
            ListIssues.request(query: .init(limit: 200, cursor: $0))
        }.first { $0.title == Self.title && $0.state != .cancelled }
        var issue: ClubProtocol.Issue
        if let known {
            issue = try await content.send(GetIssue.request(path: known.id))
        } else {
            issue = try await content.send(
                CreateIssue.request(
                    body: .init(
                        title: Self.title,
                        introduction: "Deux semaines d’actualité du club, de ses marques et de ses réseaux.")))
        }
        let id = issue.id
        if issue.state == .draft {
            try await write(issue)
            _ = try await content.send(
                CreateSuppression.request(body: .init(email: DemoReturns.missed(), reason: .manual)))
            issue = try await content.send(TransitionIssue.request(path: id, body: .init(to: .sending)))
        }
        // Five minutes are plenty for six thousand mails on any machine.
        for _ in 0..<1500 where issue.state == .sending {
            try await Task.sleep(for: .milliseconds(200))
            issue = try await content.send(GetIssue.request(path: id))
        }
        guard issue.state == .sent else {
            throw CommandFailure("the Flash info is still being sent; run the demo again later")
        }
        let editions = issue.editions.map { "\($0.counts.sent) \($0.audience.rawValue)" }.joined(separator: ", ")
        let lost = issue.editions.reduce(0) { $0 + $1.counts.total - $1.counts.sent }
        return (known == nil ? "sent to " : "sent before to ") + editions + (lost > 0 ? "; \(lost) not sent" : "")
    }

    /// Adds the items that the issue does not have yet.
    private func write(_ issue: ClubProtocol.Issue) async throws {
        let resource = try await resource()
        let items: [AddIssueItem.Body] = [
            .init(
                kind: .corporate, title: "Le prochain Club des Partenaires",
                text: "La prochaine rencontre porte sur la facture électronique. Les inscriptions sont ouvertes."),
            .init(
                kind: .marketing, title: "Un argumentaire pour vos clients",
                text: "Quatre pages pour expliquer l’essentiel à un artisan ou à un commerçant.",
                link: "https://www.club.example/argumentaire", resource: resource, audiences: [.ambassadors]),
            .init(
                kind: .technical, title: "Brancher une boutique en ligne",
                text: "Les formats, les plateformes et les erreurs à éviter.", audiences: [.experts]),
        ]
        let written = Set(issue.items.map(\.title))
        for item in items where !written.contains(item.title) {
            _ = try await content.send(AddIssueItem.request(path: issue.id, body: item))
        }
    }

    private func resource() async throws -> ClubProtocol.Resource.ID {
        let title: Line = "La facture électronique, mode d’emploi"
        let known = try await content.all(ListResources.self) {
            ListResources.request(query: .init(limit: 200, cursor: $0))
        }.first { $0.title == title }
        if let known { return known.id }
        return try await content.send(
            CreateResource.request(
                body: .init(
                    kind: .pressRelease, title: title, summary: "Ce qui change pour les très petites entreprises.",
                    link: "https://www.club.example/facture-electronique"))
        ).id
    }
}
