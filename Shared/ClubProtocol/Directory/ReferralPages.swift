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
/// A note that cannot be taken is said beside its field, and nothing is answered.
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
        /// Why not, or when the firm will be called; whoever brought the need reads it. 2,000 characters at the most, a line
        /// break being one.
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

/// What the forms of that page send: what became of an offer that was accepted. Satisfaction that is missing is asked for beside its
/// field; an outcome that was told already leads back to the page.
package enum ReportReferralOutcome: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referral-follow-ups/{token}/outcome", "Form: says what became of an offer that was accepted.",
        success: .seeOther, access: .anyone, problems: [.notFound], consumes: .form, produces: .html)

    package enum Outcome: String, Codable, CaseIterable, Sendable {
        case done, abandoned

        /// Where it brings the offer.
        package var state: ReferralOffer.State {
            switch self {
            case .done: .done
            case .abandoned: .abandoned
            }
        }
    }

    package struct Body: Codable, Sendable {
        package var offer: ReferralOffer.ID
        package var outcome: Outcome
        /// `1` to `5`, with `done`.
        package var satisfaction: String?

        package init(offer: ReferralOffer.ID, outcome: Outcome, satisfaction: String? = nil) {
            self.offer = offer
            self.outcome = outcome
            self.satisfaction = satisfaction
        }
    }

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
