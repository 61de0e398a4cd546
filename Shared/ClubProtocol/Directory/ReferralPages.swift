import HTTPTypes

/// The page of an offer, by the link of the mail that told of it: the need, who asks, and two buttons. To look at it changes
/// nothing: programs that check mails follow links.
package enum ShowReferralInvitation: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-invitations/{token}", "Page: the offer of a referral, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = ReferralLinkPath
    package typealias Response = TextDocument
}

/// What its buttons send. An answer that was given already, or comes too late, leads back to the page, which says how it stands.
package enum AnswerReferralInvitation: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referral-invitations/{token}/answer", "Form: accepts or declines the offer of a referral.",
        success: .seeOther, access: .anyone, problems: [.notFound, .referralTaken, .referralClosed], consumes: .form,
        produces: .html)

    package enum Answer: String, Codable, CaseIterable, Sendable {
        case accepted, declined

        /// Where it brings the offer.
        package var state: ReferralOffer.State {
            switch self {
            case .accepted: .accepted
            case .declined: .declined
            }
        }
    }

    package struct Body: Codable, Sendable {
        package var answer: Answer
        /// Why not, or when the firm will be called; whoever brought the need reads it.
        package var note: String?

        package init(answer: Answer, note: String? = nil) {
            self.answer = answer
            self.note = note
        }
    }

    package typealias Path = ReferralLinkPath
    package typealias Response = TextDocument
}

/// The page on which whoever brought a need reads what the experts answered, by the link of a mail.
package enum ShowReferralFollowUp: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-follow-ups/{token}", "Page: what became of a referral, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = ReferralLinkPath
    package typealias Response = TextDocument
}

/// `/v1/referral-invitations/{token}`, `/v1/referral-follow-ups/{token}`
package struct ReferralLinkPath: Codable, Sendable {
    /// Signed, for one offer or one referral, good for a while.
    package var token: String

    package init(token: String) {
        self.token = token
    }
}
