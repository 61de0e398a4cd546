import ClubProtocol
import ServiceKit

/// What a provider reports by other means than mail, in the terms of a report that came by mail.
enum ProviderReport {
    /// - Parameter bytes: a `TakeBounce.Body`.
    static func report(_ bytes: [UInt8]) throws -> InboundReport {
        let body = try StrictJSON.decode(TakeBounce.Body.self, from: bytes)
        var references = InboundReport.References(envelopeID: body.envelopeID?.text)
        if let messageID = body.messageID { references.addMessageIDs(in: Array(messageID.text.utf8)) }
        references.add(recipient: body.email)
        return InboundReport(kind: kind(of: body), references: references)
    }

    private static func kind(of body: TakeBounce.Body) -> InboundReport.Kind {
        func bounce(isFinal: Bool) -> Bounce {
            Bounce(
                recipient: body.email, status: body.status.flatMap { EnhancedStatus($0.text) },
                diagnostic: Array((body.diagnostic?.text ?? "").utf8), isFinal: isFinal)
        }
        return switch body.kind {
        case .bounce: .bounce([bounce(isFinal: true)])
        case .delayed: .delayed([bounce(isFinal: false)])
        case .delivered: .delivered
        case .complaint: .complaint(Complaint(feedbackType: "abuse", recipients: [body.email]))
        case .departure: .departure
        case .automatic: .automatic
        case .reply: .reply
        }
    }
}
