import HTTPTypes

/// The page of an offer, through the link in its e-mail: the need, who asks, and two buttons. Opening it changes
/// nothing, because mail scanners follow links.
package enum ShowReferralInvitation: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-invitations/{token}", "Page: the offer of a referral, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// The form of that page. If the offer was already answered, or the reply comes too late, redirects to the page,
/// which shows the state. An invalid note is reported next to its field, and no reply is recorded.
package enum AnswerReferralInvitation: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referral-invitations/{token}/answer", "Form: accepts or declines the offer of a referral.",
        success: .seeOther, access: .anyone, problems: [.notFound, .referralTaken, .referralClosed], consumes: .form,
        produces: .html)

    package enum Answer: String, Codable, CaseIterable, Sendable {
        case accepted, declined

        /// The target state of the offer.
        package var state: ReferralOffer.State {
            switch self {
            case .accepted: .accepted
            case .declined: .declined
            }
        }
    }

    package struct Body: Codable, Sendable {
        package var answer: Answer
        /// Why not, or when the firm will be called; read by the person who brought the need. At most 2,000
        /// characters, a line break counting as one.
        package var note: String?

        package init(answer: Answer, note: String? = nil) {
            self.answer = answer
            self.note = note
        }
    }

    package typealias Path = String
    package typealias Response = TextDocument
}

/// The page on which the person who brought a need reads the experts' replies, through the link in an e-mail.
package enum ShowReferralFollowUp: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-follow-ups/{token}", "Page: the outcome of a referral, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// The forms of that page: the outcome of an accepted offer. Missing satisfaction is asked for next to its field; if
/// the outcome was already reported, redirects to the page.
package enum ReportReferralOutcome: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referral-follow-ups/{token}/outcome", "Form: reports the outcome of an accepted offer.",
        success: .seeOther, access: .anyone, problems: [.notFound], consumes: .form, produces: .html)

    package enum Outcome: String, Codable, CaseIterable, Sendable {
        case done, abandoned

        /// The target state of the offer.
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

    package typealias Path = String
    package typealias Response = TextDocument
}
