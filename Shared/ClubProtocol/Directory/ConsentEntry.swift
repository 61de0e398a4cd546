import HTTPTypes

/// One entry of the consent ledger: who gave which answer to which question, when, and how the club knows.
package struct ConsentEntry: Codable, Hashable, Sendable {
    /// How the club received the answer.
    package enum Source: String, Codable, CaseIterable, Sendable {
        /// Recorded by staff from what they were told or sent.
        case `operator`
        /// Given by the person, signed in or by a personal link.
        case own = "self"
        /// From an imported file.
        case `import`
        /// A paper form, kept on file.
        case paper
        /// Recorded before the ledger existed.
        case carriedOver
    }

    package var purpose: Purpose
    package var agreed: Bool
    package var source: Source
    /// The question as asked, in French; absent if the club did not ask it, for example for an imported file.
    package var wording: Prose?
    /// Where the answer came from according to the sender of a file; absent if not stated.
    package var origin: Line?
    /// When the answer was given.
    package var at: Timestamp
    /// Who recorded it, as named in the audit trail.
    package var by: String

    package init(
        purpose: Purpose, agreed: Bool, source: Source, wording: Prose?, origin: Line? = nil, at: Timestamp, by: String
    ) {
        self.purpose = purpose
        self.agreed = agreed
        self.source = source
        self.wording = wording
        self.origin = origin
        self.at = at
        self.by = by
    }
}

/// A consent answer to record.
package struct ConsentAnswer: Codable, Sendable {
    package var purpose: Purpose
    package var agreed: Bool
    /// How the answer was received. Not needed from the person; `operator` by default for staff.
    package var source: ConsentEntry.Source?
    /// The question as asked; by default the club's standard wording. At most 2,000 characters.
    package var wording: Prose?
    /// When the answer was given, set only by staff, for example for a paper form; now by default. The latest answer
    /// counts, whenever it was recorded.
    package var at: Timestamp?

    package init(
        purpose: Purpose, agreed: Bool, source: ConsentEntry.Source? = nil, wording: Prose? = nil,
        at: Timestamp? = nil
    ) {
        self.purpose = purpose
        self.agreed = agreed
        self.source = source
        self.wording = wording
        self.at = at
    }
}

/// The paging of a ledger.
package struct ConsentEntryFilter: OptionalParameters {
    package var purpose: Purpose?

    package init() {}

    package init(purpose: Purpose? = nil) {
        self.purpose = purpose
    }
}

/// Lists all answers of a person, most recently recorded first.
package enum ListPersonConsents: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/consents", "Lists what a person answered on consent, latest first.",
        access: .roles(.operator, .auditor, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Person.ID
    package typealias Query = Paged<ConsentEntryFilter>
    package typealias Response = Page<ConsentEntry>
}

/// Records an answer of a person; the latest for each purpose counts.
package enum AddPersonConsent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/people/{person}/consents", "Records a person's answer on consent.", success: .created,
        access: .roles(.operator, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = Person.ID
    package typealias Body = ConsentAnswer
    package typealias Response = ConsentEntry
}

/// Lists all answers of an expert, most recently recorded first.
package enum ListExpertConsents: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts/{expert}/consents", "Lists what an expert answered on consent, latest first.",
        access: .roles(.operator, .auditor, .expert), problems: [.notFound])

    package typealias Path = Expert.ID
    package typealias Query = Paged<ConsentEntryFilter>
    package typealias Response = Page<ConsentEntry>
}

/// Records an answer of an expert; the latest for each purpose counts.
package enum AddExpertConsent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/experts/{expert}/consents", "Records an expert's answer on consent.", success: .created,
        access: .roles(.operator, .expert), problems: [.notFound])

    package typealias Path = Expert.ID
    package typealias Body = ConsentAnswer
    package typealias Response = ConsentEntry
}
