import ClubProtocol
import CommandKit
import ServiceKit

/// What comes after a mailing: an address that is gone, a reader who leaves, somebody who was missed and is mailed again,
/// and the figures that prove it.
struct DemoReturns: Sendable {
    let content: ServiceClient

    /// An expert whose address somebody put on the list by mistake: the Flash info misses them at first.
    static func missed() throws -> EmailAddress { try EmailAddress(validating: DemoPopulation.provider(0).email) }

    func handle() async throws -> Demo.Outcome {
        guard
            let issue = try await content.all(
                ListIssues.self,
                {
                    ListIssues.request(query: .init(limit: 200, cursor: $0))
                }
            ).first(where: { $0.title == DemoFlashInfo.title && $0.state == .sent })
        else { throw CommandFailure("the Flash info was not sent; run the demo again later") }
        let resent = try await mailAgain(issue.id)
        let sent = try await content.send(
            ListDeliveries.request(path: issue.id, query: .init(.init(state: .sent), limit: 3))
        ).items.filter { (try? Self.missed()) != $0.email }
        guard sent.count >= 2 else { throw CommandFailure("the Flash info went to fewer than two readers") }
        try await report(.bounce, of: sent[0], status: "5.1.1", diagnostic: "550 5.1.1 User unknown")
        try await report(.departure, of: sent[1])
        let figures = try await content.send(GetIssueFigures.request(path: issue.id))
        let (total, head) = (figures.total, figures.auditHead)
        let verified = try await content.send(
            VerifyAudit.request(body: .init(seq: head.seq, hash: head.hash)))
        let missed = total.missed.reduce(0) { $0 + $1.count }
        return """
            \(resent) missed and mailed again; \(total.sent) sent, \(total.bounced) came back, \(total.departures) left, \
            \(missed) missed; the audit chain of \(head.seq) entries is \(verified.intact ? "intact" : "broken")
            """
    }

    /// Lifts the suppression, and sends the issue to those whom it missed for that.
    private func mailAgain(_ issue: ClubProtocol.Issue.ID) async throws -> Int {
        let email = try Self.missed()
        let suppressions = try await content.send(
            ListSuppressions.request(query: .init(.init(email: email, reason: .manual)))
        ).items
        for suppression in suppressions {
            _ = try await content.send(
                LiftSuppression.request(path: suppression.id, query: .init(reason: "Ajoutée par erreur.")))
        }
        let answer = try await content.send(
            ResendIssue.request(path: issue, body: .init(reasons: [.suppressed])))
        let count = answer.resent.reduce(0) { $0 + $1.count }
        for _ in 0..<300 where try await content.send(GetIssue.request(path: issue)).state != .sent {
            try await Task.sleep(for: .milliseconds(200))
        }
        return count
    }

    /// As a provider reports it; waits until it has been read.
    private func report(
        _ kind: InboundMessage.Kind, of delivery: Delivery, status: Line? = nil, diagnostic: Prose? = nil
    ) async throws {
        let taken = try await content.send(
            TakeBounce.request(
                body: .init(
                    kind: kind, email: delivery.email, messageID: try Line(validating: "<\(delivery.id)@club.example>"),
                    status: status, diagnostic: diagnostic)))
        for _ in 0..<100 where try await content.send(GetInboundMessage.request(path: taken.id)).state == .new {
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
