import HTTPTypes

/// A topic of the controlled vocabulary.
package struct TopicTerm: Codable, Hashable, Sendable {
    package var code: Topic
    /// In French, as used on pages and in imported tables.
    package var label: Line
    package var version: Int
}

/// Lists the topics by their French labels.
package enum ListTopics: Endpoint {
    package static let operation = Operation(
        .get, "/v1/topics", "Lists the topics of the vocabulary by label.", access: .anyone)

    package typealias Query = Paged<Empty>
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

/// Changes the label of a topic; its code stays the same.
package enum ChangeTopic: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/topics/{topic}", "Changes the label of a topic.", access: .roles(.operator),
        problems: [.notFound, .alreadyExists], requiresIfMatch: true)

    package typealias Path = Topic

    package struct Body: Codable, Sendable {
        package var label: Line?

        package init(label: Line? = nil) {
            self.label = label
        }
    }

    package typealias Response = TopicTerm
}

/// Deletes a topic that no record uses.
package enum DeleteTopic: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/topics/{topic}", "Deletes an unused topic from the vocabulary.", success: .noContent,
        access: .roles(.operator), problems: [.notFound, .topicInUse])

    package typealias Path = Topic
}

/// What a membership costs and entitles to.
package struct TierTerms: Codable, Hashable, Sendable {
    /// How much of the difference in fees is called when a member changes to the tier within a year.
    package enum Complement: String, Codable, CaseIterable, Sendable {
        /// As many twelfths as months left, including the month of the change.
        case proRata
        case whole
    }

    package var code: Tier
    /// In French.
    package var label: Line
    /// The kind of organization that it is for; any kind if absent.
    package var kind: Organization.Kind?
    /// Per calendar year.
    package var fee: Money
    /// Seats at each monthly meeting.
    package var monthlySeats: Int
    /// Workshop seats per year.
    package var workshopSeats: Int
    /// Flash info insertions per year.
    package var insertions: Int
    package var complement: Complement
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    /// The bounds of a tier's fields.
    static let bounds: KeyValuePairs<String, FieldBound> = [
        "monthlySeats": .values(0...1000), "workshopSeats": .values(0...1000), "insertions": .values(0...1000),
    ]
}

/// Lists the tiers by their French labels.
package enum ListTiers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/tiers", "Lists the tiers of membership by label.",
        access: .roles(.operator, .editor, .auditor, .service, .representative))

    package typealias Query = Paged<Empty>
    package typealias Response = Page<TierTerms>
}

/// Shows one tier.
package enum GetTier: Endpoint {
    package static let operation = Operation(
        .get, "/v1/tiers/{tier}", "Shows a tier of membership.",
        access: .roles(.operator, .editor, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Tier
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
        /// 0 to 1000, like the next two; 0 by default.
        package var monthlySeats: Int?
        package var workshopSeats: Int?
        package var insertions: Int?
        /// `proRata` by default.
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

/// Changes a tier by a merge patch. A new fee applies to contributions called from now on. The tier's kind of
/// organization cannot be narrowed while members of another kind have it.
package enum ChangeTier: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/tiers/{tier}", "Changes a tier of membership.", access: .roles(.operator),
        problems: [.notFound, .alreadyExists, .tierInUse], requiresIfMatch: true)

    package typealias Path = Tier

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

extension ProblemType {
    package static let topicInUse = ProblemType("topic-in-use", "The topic is in use", .conflict)
    package static let tierInUse = ProblemType(
        "tier-in-use", "Members of another kind of organization have this tier", .conflict)
}
