import HTTPTypes

/// The offer of a referral to one expert, and its outcome.
package struct ReferralOffer: Codable, Hashable, Sendable {
    package typealias ID = Identifier<ReferralOffer>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// The expert has not replied.
        case sent
        case accepted, declined
        /// The last day for a reply has passed.
        case expired
        /// No reply is needed any more: every place was taken, the referral was closed, or the expert has left.
        case withdrawn
        case done, abandoned

        /// The possible transitions:
        ///
        /// ```
        ///   sent ──▶ accepted ──▶ done
        ///    │           └──────▶ abandoned
        ///    ├──▶ declined
        ///    ├──▶ expired
        ///    └──▶ withdrawn
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.sent, .accepted), (.sent, .declined), (.sent, .expired), (.sent, .withdrawn): true
            case (.accepted, .done), (.accepted, .abandoned): true
            default: false
            }
        }

        /// The roles that may set this state. If none may, it is set automatically.
        package var permittedRoles: Set<Role> {
            switch self {
            case .sent, .expired, .withdrawn: []
            case .accepted, .declined: [.operator, .expert]
            case .done: [.operator, .ambassador]
            case .abandoned: [.operator, .ambassador, .expert]
            }
        }
    }

    /// The value of the work, in euros before tax.
    package enum Amount: String, Codable, CaseIterable, Sendable {
        case under1000, under5000, under20000, from20000
    }

    package var id: ID
    package var referral: Referral.ID
    package var expert: Expert.ID
    package var state: State
    package var topics: [Topic]
    /// The firm's. Absent only abroad, for countries without postal codes.
    package var postalCode: PostalCode?
    package var departement: Departement
    package var description: Prose
    /// For an expert, only from acceptance until it is abandoned.
    package var firm: Firm?
    /// The last day for a reply.
    package var answerBy: Day
    package var answeredAt: Timestamp?
    /// How satisfied the firm was, 1 to 5; set with ``State/done``, and corrected by setting it again within fourteen
    /// days.
    package var satisfaction: Int?
    package var amount: Amount?
    package var note: Prose?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Sends a referral to experts, all or none. Experts with a `withdrawn` or `expired` offer may be asked again.
package enum SendReferral: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referrals/{referral}/offers", "Sends a referral to experts.", success: .created,
        access: .roles(.operator, .ambassador),
        problems: [.notFound, .alreadyExists, .referralTaken, .referralClosed, .tooManyAsked])

    package typealias Path = Referral.ID

    package struct Body: Codable, Sendable, BoundedFields {
        /// 1 to 5 of those that match; at most five may be asked at a time.
        package var experts: [Expert.ID]
        /// From tomorrow to sixty days from now; a week from now by default.
        package var answerBy: Day?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["experts": .elements(1...5)]

        package init(experts: [Expert.ID], answerBy: Day? = nil) {
            self.experts = experts
            self.answerBy = answerBy
        }
    }

    package typealias Response = Page<ReferralOffer>
}

/// Lists offers, latest first. Ambassadors see those of their referrals, experts those sent to them.
package enum ListReferralOffers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-offers", "Lists offers of referrals, latest first.",
        access: .roles(.operator, .auditor, .ambassador, .expert))

    package struct Filter: OptionalParameters {
        package var referral: Referral.ID?
        package var expert: Expert.ID?
        package var state: ReferralOffer.State?

        package init() {}

        package init(referral: Referral.ID? = nil, expert: Expert.ID? = nil, state: ReferralOffer.State? = nil) {
            self.referral = referral
            self.expert = expert
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<ReferralOffer>
}

/// Shows one offer.
package enum GetReferralOffer: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referral-offers/{offer}", "Shows an offer of a referral.",
        access: .roles(.operator, .auditor, .ambassador, .expert), problems: [.notFound])

    package typealias Path = ReferralOffer.ID
    package typealias Response = ReferralOffer
}

/// Replies to an offer, or reports its outcome. The expert accepts, declines or abandons; the ambassador reports it
/// as done, with the firm's satisfaction, or as abandoned.
package enum ChangeReferralOffer: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/referral-offers/{offer}", "Answers an offer, or reports its outcome.",
        access: .roles(.operator, .ambassador, .expert),
        problems: [.notFound, .transitionNotAllowed, .referralTaken], requiresIfMatch: true)

    package typealias Path = ReferralOffer.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var state: ReferralOffer.State
        /// 1 to 5; only and always with `done`.
        package var satisfaction: Int?
        /// Only with `done`.
        package var amount: ReferralOffer.Amount?
        /// Why it was declined, or the outcome.
        package var note: Prose?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["satisfaction": .values(1...5)]

        package init(
            state: ReferralOffer.State, satisfaction: Int? = nil, amount: ReferralOffer.Amount? = nil,
            note: Prose? = nil
        ) {
            self.state = state
            self.satisfaction = satisfaction
            self.amount = amount
            self.note = note
        }
    }

    package typealias Response = ReferralOffer
}
