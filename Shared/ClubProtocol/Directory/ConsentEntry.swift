import HTTPTypes

/// One line of the ledger of consents: who answered what to which question, when, and how we know.
package struct ConsentEntry: Codable, Hashable, Sendable {
    /// How the answer came to the club.
    package enum Source: String, Codable, CaseIterable, Sendable {
        /// The club's staff wrote down what it was told or sent.
        case `operator`
        /// The person itself, signed in or by a link of its own.
        case own = "self"
        /// A file that was imported.
        case `import`
        /// A paper form, kept on file.
        case paper
        /// It was there before the ledger.
        case carriedOver
    }

    package var purpose: Purpose
    package var agreed: Bool
    package var source: Source
    /// The question as it was put, in French; absent where the club did not put it, as of a file that was imported.
    package var wording: Prose?
    /// Where the sender of a file said that the answer is from; absent where nobody said.
    package var origin: Line?
    /// When it was given.
    package var at: Timestamp
    /// Who wrote it down, as the audit trail names them.
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

/// An answer on consent to be written down.
package struct ConsentAnswer: Codable, Sendable {
    package var purpose: Purpose
    package var agreed: Bool
    /// How it came; the person itself needs not say, staff: `operator` unless said.
    package var source: ConsentEntry.Source?
    /// The question as it was put; the club's standard one unless said. At most 2,000 characters.
    package var wording: Prose?
    /// When it was given, for the staff to say, as of a paper form; now unless said. The latest answer counts, whenever it was
    /// written down.
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

/// The pages of a ledger.
package struct ConsentEntryQuery: Codable, Sendable, PagedQuery {
    package var purpose: Purpose?
    package var limit: PageLimit?
    package var cursor: Cursor?

    package init(purpose: Purpose? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil) {
        self.purpose = purpose
        self.limit = limit
        self.cursor = cursor
    }
}

/// Lists all answers of a person, those first that were written down last.
package enum ListPersonConsents: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people/{person}/consents", "Lists what a person answered on consent, latest first.",
        access: .roles(.operator, .auditor, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = PersonPath
    package typealias Query = ConsentEntryQuery
    package typealias Response = Page<ConsentEntry>
}

/// Writes an answer of a person down; the latest for each purpose is what counts.
package enum AddPersonConsent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/people/{person}/consents", "Writes a person's answer on consent down.", success: .created,
        access: .roles(.operator, .representative, .ambassador, .expert), problems: [.notFound])

    package typealias Path = PersonPath
    package typealias Body = ConsentAnswer
    package typealias Response = ConsentEntry
}

/// Lists all answers of an expert, those first that were written down last.
package enum ListExpertConsents: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts/{expert}/consents", "Lists what an expert answered on consent, latest first.",
        access: .roles(.operator, .auditor, .expert), problems: [.notFound])

    package typealias Path = ExpertPath
    package typealias Query = ConsentEntryQuery
    package typealias Response = Page<ConsentEntry>
}

/// Writes an answer of an expert down; the latest for each purpose is what counts.
package enum AddExpertConsent: Endpoint {
    package static let operation = Operation(
        .post, "/v1/experts/{expert}/consents", "Writes an expert's answer on consent down.", success: .created,
        access: .roles(.operator, .expert), problems: [.notFound])

    package typealias Path = ExpertPath
    package typealias Body = ConsentAnswer
    package typealias Response = ConsentEntry
}
