import HTTPTypes

/// The kinds of record that may be duplicated and can be merged.
package enum RecordKind: String, Codable, CaseIterable, Sendable {
    case organization, person, expert
}

/// Any record of a ``RecordKind``, which tells the type of its identifier.
package enum DirectoryRecord {
    package typealias ID = Identifier<DirectoryRecord>
}

/// Two records that may be the same one, found by a scan.
package struct Duplicate: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Duplicate>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Not decided yet.
        case open
        /// Marked as two different records; no scan reports the pair again.
        case dismissed
        /// They were merged.
        case merged

        /// The life cycle of a pair:
        /// ```
        /// open ◀──▶ dismissed
        ///  ▲ │          │
        ///  │ ▼          │
        /// merged ◀──────┘
        /// ```
        /// Undoing a merge reopens the pair, which can then be dismissed.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.open, .dismissed), (.open, .merged): true
            case (.dismissed, .open), (.dismissed, .merged): true
            case (.merged, .open): true
            default: false
            }
        }
    }

    /// Evidence for or against two records being the same.
    package enum Rule: String, Codable, CaseIterable, Sendable {
        case sameSiren, sameEmail, sameMailbox, sameTelephone, sameWebsite
        /// Organizations and experts: the same name in the same place, ignoring accents, case, punctuation and legal
        /// form.
        case sameNameAndPostalCode, sameNameAndDepartement
        /// Names that begin alike and differ in some letters, with the same postal code.
        case similarNameAndPostalCode
        /// People: the same full name; given and family name swapped; nearly the same name in one organization.
        /// Organizations and experts: `sameName` is the same name where the place of one of them is unknown.
        case sameName, swappedNames, similarNameInOrganization
        /// Only adds to the score of another rule.
        case sameOrganization
        /// Evidence against: two establishments.
        case differentSiret
        /// Evidence against: a branch and its head, or two branches of one head.
        case sameNetwork

        /// How much it adds to the score.
        package var weight: Int {
            switch self {
            case .sameNameAndPostalCode, .sameName: 50
            case .sameSiren, .swappedNames: 45
            case .sameEmail, .sameMailbox, .sameNameAndDepartement: 40
            case .similarNameAndPostalCode, .similarNameInOrganization: 35
            case .sameTelephone, .sameWebsite: 30
            case .sameOrganization: 20
            case .differentSiret: -30
            case .sameNetwork: -40
            }
        }
    }

    /// Why the two may or may not be the same.
    package struct Reason: Codable, Hashable, Sendable {
        package var rule: Rule
        /// What it adds to the score; negative for evidence against.
        package var weight: Int
    }

    /// One of the two records.
    package struct Side: Codable, Hashable, Sendable {
        package var id: DirectoryRecord.ID
        /// Absent if the record is no longer in the directory.
        package var name: String?
    }

    package var id: ID
    package var kind: RecordKind
    package var first: Side
    package var second: Side
    /// The sum of the weights, from 0 to 100.
    package var score: Int
    /// Highest weight first.
    package var reasons: [Reason]
    package var state: State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Lists pairs, most likely first.
package enum ListDuplicates: Endpoint {
    package static let operation = Operation(
        .get, "/v1/duplicates", "Lists pairs of records that may be duplicates, the most likely first.",
        access: .roles(.operator, .auditor))

    package struct Filter: OptionalParameters {
        package var kind: RecordKind?
        package var state: Duplicate.State?
        /// 0 to 100.
        package var minimumScore: Int?

        package init() {}

        package init(kind: RecordKind? = nil, state: Duplicate.State? = nil, minimumScore: Int? = nil) {
            self.kind = kind
            self.state = state
            self.minimumScore = minimumScore
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Duplicate>
}

/// Records that the two are different; no scan reports the pair again.
package enum DismissDuplicate: Endpoint {
    package static let operation = Operation(
        .post, "/v1/duplicates/{duplicate}/dismissal", "Dismisses a pair of records that are not duplicates.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Duplicate.ID
    package typealias Response = Duplicate
}

/// Undoes a dismissal: the pair is open again.
package enum ReopenDuplicate: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/duplicates/{duplicate}/dismissal", "Reopens a dismissed pair.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = Duplicate.ID
    package typealias Response = Duplicate
}

/// A scan of the whole directory, or of what has changed since the last scan.
package struct DuplicateScan: Codable, Hashable, Sendable {
    package typealias ID = Identifier<DuplicateScan>

    package var id: ID
    package var whole: Bool
    package var requestedAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    /// Records examined so far.
    package var examined: Int
    /// New pairs.
    package var found: Int
    /// Open pairs that are no longer duplicates.
    package var dropped: Int
}

/// Starts a scan; scans also run every night.
package enum ScanDuplicates: Endpoint {
    package static let operation = Operation(
        .post, "/v1/duplicate-scans", "Starts a search for duplicates.", success: .accepted, access: .roles(.operator))

    package struct Body: Codable, Sendable {
        /// Whether to examine every record; by default only those that changed since the last scan.
        package var whole: Bool?

        package init(whole: Bool? = nil) {
            self.whole = whole
        }
    }

    package typealias Response = DuplicateScan
}

/// Shows the progress of a scan.
package enum GetDuplicateScan: Endpoint {
    package static let operation = Operation(
        .get, "/v1/duplicate-scans/{scan}", "Shows a search for duplicates.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package typealias Path = DuplicateScan.ID
    package typealias Response = DuplicateScan
}
