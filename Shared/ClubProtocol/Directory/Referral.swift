import HTTPTypes

/// A firm's need, offered to experts by an ambassador or by staff.
///
/// It has one or a few places, for as many experts. The first to accept get them; when the last place is taken, the
/// remaining offers are withdrawn.
package struct Referral: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Referral>

    /// Determined by the places and by whether it was closed.
    package enum State: String, Codable, CaseIterable, Sendable {
        /// It has a free place.
        case open
        /// Every place is taken.
        case placed
        /// No more offers are made for it.
        case closed
    }

    package var id: ID
    /// The ambassador who brought it; absent if staff did.
    package var ambassador: Ambassador.ID?
    package var topics: [Topic]
    /// Where the firm is located. Absent only abroad, for countries without postal codes.
    package var postalCode: PostalCode?
    package var departement: Departement
    /// What the firm needs, without naming it: every expert who is asked reads this.
    package var description: Prose
    package var firm: Firm?
    /// How many experts may accept.
    package var places: Int
    /// How many have accepted.
    package var taken: Int
    /// Experts who have been asked and have not replied.
    package var asked: Int
    package var state: State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// The firm. Visible only to experts who accepted; deleted a year after the last change.
package struct Firm: Codable, Hashable, Sendable {
    package var name: Line?
    package var contact: Line?
    package var email: EmailAddress?
    package var telephone: Telephone?

    package init(
        name: Line? = nil, contact: Line? = nil, email: EmailAddress? = nil, telephone: Telephone? = nil
    ) {
        self.name = name
        self.contact = contact
        self.email = email
        self.telephone = telephone
    }
}

/// Creates a referral. Ambassadors create it in their own name.
package enum CreateReferral: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referrals", "Adds a firm's need, to be sent to experts.", success: .created,
        access: .roles(.operator, .ambassador))

    package struct Body: Codable, Sendable, BoundedFields {
        /// 1 to 5, best known first.
        package var topics: [Topic]
        /// Optional for a firm abroad (`990`).
        package var postalCode: PostalCode?
        /// By default that of the postal code.
        package var departement: Departement?
        package var description: Prose
        package var firm: Firm?
        /// 1 to 3; 1 by default.
        package var places: Int?
        /// For staff: in whose name.
        package var ambassador: Ambassador.ID?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "topics": .elements(1...5), "places": .values(1...3),
        ]

        package init(
            topics: [Topic], postalCode: PostalCode?, departement: Departement? = nil, description: Prose,
            firm: Firm? = nil, places: Int? = nil, ambassador: Ambassador.ID? = nil
        ) {
            self.topics = topics
            self.postalCode = postalCode
            self.departement = departement
            self.description = description
            self.firm = firm
            self.places = places
            self.ambassador = ambassador
        }
    }

    package typealias Response = Referral
}

/// Lists referrals, latest first. Ambassadors see only their own.
package enum ListReferrals: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals", "Lists referrals, latest first.", access: .roles(.operator, .auditor, .ambassador))

    package struct Filter: OptionalParameters {
        package var ambassador: Ambassador.ID?
        package var state: Referral.State?
        /// Where the firm is located.
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?

        package init() {}

        package init(
            ambassador: Ambassador.ID? = nil, state: Referral.State? = nil, departement: Departement? = nil,
            region: Region? = nil,
            topic: Topic? = nil
        ) {
            self.ambassador = ambassador
            self.state = state
            self.departement = departement
            self.region = region
            self.topic = topic
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Referral>
}

/// Shows one referral.
package enum GetReferral: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals/{referral}", "Shows a referral.", access: .roles(.operator, .auditor, .ambassador),
        problems: [.notFound])

    package typealias Path = Referral.ID
    package typealias Response = Referral
}

/// Closes a referral: no further replies are needed, and no one else is asked. Accepted offers go on.
package enum CloseReferral: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referrals/{referral}/closure", "Closes a referral: no more experts are asked.",
        access: .roles(.operator, .ambassador), problems: [.notFound])

    package typealias Path = Referral.ID
    package typealias Response = Referral
}

/// An expert who could accept a referral, and how the ranking comes about. All figures are in thousandths.
///
/// `score` = 35 % `topics` + 25 % `nearness` + 10 % `freshness` + 15 % `acceptance` + 15 % `satisfaction`.
package struct ReferralMatch: Codable, Hashable, Sendable {
    package var expert: Expert.ID
    package var name: Line
    package var subKind: Expert.SubKind
    /// Absent only abroad, for countries without postal codes.
    package var postalCode: PostalCode?
    package var commune: Line
    package var departement: Departement
    package var score: Int
    /// The share of the referral's topics that the expert knows.
    package var topics: Int
    /// 1000 for the same postal code, 900 for the same first three digits, 700 for the same département, 300 for an
    /// expert located elsewhere.
    package var nearness: Int
    /// 1000 for a record confirmed today, half of that after a year, and so on.
    package var freshness: Int
    /// The share of offers accepted, smoothed with five earlier offers of which three were accepted: a newcomer has
    /// 600.
    package var acceptance: Int
    /// Whether the expert can be notified by e-mail; otherwise only through the API or by telephone.
    package var isMailed: Bool
    /// How satisfied the firms were, an abandoned referral counting as zero, smoothed with three earlier ones at 600.
    package var satisfaction: Int
}

/// Lists the experts who could accept a referral, best match first: those who consented to the directory, serve the
/// département, know at least one of the topics, and either have not been asked yet or were released without a reply.
package enum ListReferralMatches: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals/{referral}/matches", "Lists the experts who match a referral, best first.",
        access: .roles(.operator, .auditor, .ambassador), problems: [.notFound])

    package typealias Path = Referral.ID
    package typealias Query = Paged<Empty>
    package typealias Response = Page<ReferralMatch>
}

extension ProblemType {
    package static let referralTaken = ProblemType("referral-taken", "All places are taken", .conflict)
    package static let referralClosed = ProblemType("referral-closed", "The referral has been closed", .conflict)
    package static let tooManyAsked = ProblemType(
        "too-many-asked", "At most five experts are asked at a time", .conflict)
}
