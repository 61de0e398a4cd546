import HTTPTypes

/// A firm's need that an ambassador, or the club's staff, brings to experts.
///
/// It has one place or a few: so many experts may take it on. Who accepts first has a place; when the last one is taken,
/// everybody who has not answered is told so by their offer.
package struct Referral: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Referral>

    /// What follows from the places and from whether it was closed.
    package enum State: String, Codable, CaseIterable, Sendable {
        /// It has a free place.
        case open
        /// Every place is taken.
        case placed
        /// No more offers are made for it.
        case closed
    }

    package var id: ID
    /// Who brought it; absent where the club's staff did.
    package var ambassador: Ambassador.ID?
    package var topics: [Topic]
    /// Where the firm is.
    /// Where the firm is. Absent only abroad, where some countries have none.
    package var postalCode: PostalCode?
    package var departement: Departement
    /// What the firm needs, without saying who it is: every expert who is asked reads it.
    package var description: Prose
    package var firm: Firm?
    /// How many experts may take it on.
    package var places: Int
    /// How many have.
    package var taken: Int
    /// Experts who have been asked and have not answered.
    package var asked: Int
    package var state: State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Who the firm is. Only the experts who accepted get to see it; it is forgotten a year after the last change.
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

/// Brings a firm's need. An ambassador brings it in its own name.
package enum CreateReferral: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referrals", "Brings a firm's need, to be sent to experts.", success: .created,
        access: .roles(.operator, .ambassador))

    package struct Body: Codable, Sendable, BoundedFields {
        /// 1 to 5, best known first.
        package var topics: [Topic]
        /// A firm abroad (`990`) may have none.
        package var postalCode: PostalCode?
        /// Without it, the one of the postal code.
        package var departement: Departement?
        package var description: Prose
        package var firm: Firm?
        /// 1 to 3; 1 unless said.
        package var places: Int?
        /// For the club's staff: in whose name.
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

/// Lists referrals, the latest first. An ambassador sees its own.
package enum ListReferrals: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals", "Lists referrals, latest first.", access: .roles(.operator, .auditor, .ambassador))

    package struct Query: Codable, Sendable, PagedQuery {
        package var ambassador: Ambassador.ID?
        package var state: Referral.State?
        /// Where the firm is.
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            ambassador: Ambassador.ID? = nil, state: Referral.State? = nil, departement: Departement? = nil,
            region: Region? = nil,
            topic: Topic? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.ambassador = ambassador
            self.state = state
            self.departement = departement
            self.region = region
            self.topic = topic
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Referral>
}

/// Shows one referral.
package enum GetReferral: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals/{referral}", "Shows a referral.", access: .roles(.operator, .auditor, .ambassador),
        problems: [.notFound])

    package typealias Path = ReferralPath
    package typealias Response = Referral
}

/// Closes a referral: who has not answered need not, and nobody else is asked. What was accepted goes on.
package enum CloseReferral: Endpoint {
    package static let operation = Operation(
        .post, "/v1/referrals/{referral}/closure", "Closes a referral: nobody else is asked.",
        access: .roles(.operator, .ambassador), problems: [.notFound])

    package typealias Path = ReferralPath
    package typealias Response = Referral
}

/// An expert who could take on a referral, and why it stands where it does. All figures are in thousandths.
///
/// `score` = 35 % `topics` + 25 % `nearness` + 10 % `freshness` + 15 % `acceptance` + 15 % `satisfaction`.
package struct ReferralMatch: Codable, Hashable, Sendable {
    package var expert: Expert.ID
    package var name: Line
    package var subKind: Expert.SubKind
    /// Absent only abroad, where some countries have none.
    package var postalCode: PostalCode?
    package var commune: Line
    package var departement: Departement
    package var score: Int
    /// The share of the referral's topics that the expert knows.
    package var topics: Int
    /// 1000 for the same postal code, 900 for one that begins with the same three digits, 700 for the same département,
    /// 300 for an expert who comes from elsewhere.
    package var nearness: Int
    /// 1000 for an entry confirmed today, half of it after a year, and so on.
    package var freshness: Int
    /// The share of offers accepted, as if five had come before of which three were: a newcomer has 600.
    package var acceptance: Int
    /// Whether a mail can tell the expert; without an address in the directory, only the API or a call does.
    package var isMailed: Bool
    /// How satisfied the firms were, an abandoned one being not at all, as if three had come before at 600.
    package var satisfaction: Int
}

/// Lists the experts who could take on a referral, the best match first: who agreed to the directory, serves the département, knows
/// one of the topics at least, and has not been asked yet, or was let go without an answer.
package enum ListReferralMatches: Endpoint {
    package static let operation = Operation(
        .get, "/v1/referrals/{referral}/matches", "Lists the experts who match a referral, best first.",
        access: .roles(.operator, .auditor, .ambassador), problems: [.notFound])

    package typealias Path = ReferralPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<ReferralMatch>
}

/// `/v1/referrals/{referral}`
package struct ReferralPath: Codable, Sendable {
    package var referral: Referral.ID

    package init(referral: Referral.ID) {
        self.referral = referral
    }
}

extension ProblemType {
    package static let referralTaken = ProblemType("referral-taken", "Every place has been taken", .conflict)
    package static let referralClosed = ProblemType("referral-closed", "The referral has been closed", .conflict)
    package static let tooManyAsked = ProblemType(
        "too-many-asked", "Five experts at the most are asked at a time", .conflict)
}
