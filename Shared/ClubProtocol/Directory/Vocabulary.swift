import HTTPTypes

/// A topic as the managed vocabulary has it.
package struct TopicTerm: Codable, Hashable, Sendable {
    package var code: Topic
    /// In French: what pages and imported tables call it.
    package var label: Line
    package var version: Int
}

/// Lists the topics by their French labels.
package enum ListTopics: Endpoint {
    package static let operation = Operation(
        .get, "/v1/topics", "Lists the topics of the vocabulary by label.", access: .anyone)

    package typealias Query = VocabularyQuery
    package typealias Response = Page<TopicTerm>
}

/// Adds a topic to the vocabulary.
package enum CreateTopic: Endpoint {
    package static let operation = Operation(
        .post, "/v1/topics", "Adds a topic to the vocabulary.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists])

    package struct Body: Codable, Sendable {
        package var code: Topic
        package var label: Line

        package init(code: Topic, label: Line) {
            self.code = code
            self.label = label
        }
    }

    package typealias Response = TopicTerm
}

/// Gives a topic another label; its code stays.
package enum ChangeTopic: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/topics/{topic}", "Changes the label of a topic.", access: .roles(.operator),
        problems: [.notFound, .alreadyExists], requiresIfMatch: true)

    package typealias Path = TopicPath

    package struct Body: Codable, Sendable {
        package var label: Line?

        package init(label: Line? = nil) {
            self.label = label
        }
    }

    package typealias Response = TopicTerm
}

/// Takes a topic out of the vocabulary, when nobody has it.
package enum DeleteTopic: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/topics/{topic}", "Takes a topic that nobody has out of the vocabulary.", success: .noContent,
        access: .roles(.operator), problems: [.notFound, .topicInUse])

    package typealias Path = TopicPath
}

/// `/v1/topics/{topic}`
package struct TopicPath: Codable, Sendable {
    package var topic: Topic

    package init(topic: Topic) {
        self.topic = topic
    }
}

/// Which page of a vocabulary.
package struct VocabularyQuery: Codable, Sendable, PagedQuery {
    package var limit: PageLimit?
    package var cursor: Cursor?

    package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
        self.limit = limit
        self.cursor = cursor
    }
}

/// What a membership costs, and what it gives.
package struct TierTerms: Codable, Hashable, Sendable {
    /// What of the difference of the fees is called when a member changes to the tier within a year.
    package enum Complement: String, Codable, CaseIterable, Sendable {
        /// As many twelfths as there are months left, the one of the change included.
        case proRata
        case whole
    }

    package var code: Tier
    /// In French.
    package var label: Line
    /// The kind of organization that it is for; absent: every kind.
    package var kind: Organization.Kind?
    /// For a calendar year.
    package var fee: Money
    /// Seats at each monthly meeting.
    package var monthlySeats: Int
    /// Seats at the workshops of a year.
    package var workshopSeats: Int
    /// Insertions in the Flash info of a year.
    package var insertions: Int
    package var complement: Complement
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// Of what is said of a tier.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "monthlySeats": .values(0...1000), "workshopSeats": .values(0...1000), "insertions": .values(0...1000),
    ]
}

/// Lists the tiers by their French labels.
package enum ListTiers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/tiers", "Lists the tiers of membership by label.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package typealias Query = VocabularyQuery
    package typealias Response = Page<TierTerms>
}

/// Shows one tier.
package enum GetTier: Endpoint {
    package static let operation = Operation(
        .get, "/v1/tiers/{tier}", "Shows a tier of membership.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = TierPath
    package typealias Response = TierTerms
}

/// Adds a tier.
package enum CreateTier: Endpoint {
    package static let operation = Operation(
        .post, "/v1/tiers", "Adds a tier of membership.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists])

    package struct Body: Codable, Sendable, BoundedFields {
        package var code: Tier
        package var label: Line
        package var kind: Organization.Kind?
        package var fee: Money
        /// 0 to 1000, as the two after it; 0 where it is not said.
        package var monthlySeats: Int?
        package var workshopSeats: Int?
        package var insertions: Int?
        /// `proRata` where it is not said.
        package var complement: TierTerms.Complement?

        package static let bounds: KeyValuePairs<String, FieldBound> = TierTerms.bounds

        package init(
            code: Tier, label: Line, kind: Organization.Kind? = nil, fee: Money, monthlySeats: Int? = nil,
            workshopSeats: Int? = nil, insertions: Int? = nil, complement: TierTerms.Complement? = nil
        ) {
            self.code = code
            self.label = label
            self.kind = kind
            self.fee = fee
            self.monthlySeats = monthlySeats
            self.workshopSeats = workshopSeats
            self.insertions = insertions
            self.complement = complement
        }
    }

    package typealias Response = TierTerms
}

/// Changes a tier by a merge patch. A new fee counts for contributions that are called from now on; whom the tier is for
/// cannot be narrowed while members of another kind have it.
package enum ChangeTier: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/tiers/{tier}", "Changes a tier of membership.", access: .roles(.operator),
        problems: [.notFound, .alreadyExists, .tierInUse], requiresIfMatch: true)

    package typealias Path = TierPath

    package struct Body: Codable, Sendable, BoundedFields {
        package var label: Line?
        package var kind: Patched<Organization.Kind>
        package var fee: Money?
        package var monthlySeats: Int?
        package var workshopSeats: Int?
        package var insertions: Int?
        package var complement: TierTerms.Complement?

        package static let bounds: KeyValuePairs<String, FieldBound> = TierTerms.bounds

        package init(
            label: Line? = nil, kind: Patched<Organization.Kind> = nil, fee: Money? = nil, monthlySeats: Int? = nil,
            workshopSeats: Int? = nil, insertions: Int? = nil, complement: TierTerms.Complement? = nil
        ) {
            self.label = label
            self.kind = kind
            self.fee = fee
            self.monthlySeats = monthlySeats
            self.workshopSeats = workshopSeats
            self.insertions = insertions
            self.complement = complement
        }
    }

    package typealias Response = TierTerms
}

/// `/v1/tiers/{tier}`
package struct TierPath: Codable, Sendable {
    package var tier: Tier

    package init(tier: Tier) {
        self.tier = tier
    }
}

extension ProblemType {
    package static let topicInUse = ProblemType("topic-in-use", "Somebody has this topic", .conflict)
    package static let tierInUse = ProblemType(
        "tier-in-use", "Members of another kind of organization have this tier", .conflict)
}
