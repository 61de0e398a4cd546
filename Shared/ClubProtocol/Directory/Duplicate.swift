import HTTPTypes

/// What can be held twice in the directory, and so be merged.
package enum RecordKind: String, Codable, CaseIterable, Sendable {
    case organization, person, expert
}

/// Any record of a ``RecordKind``: the kind says which type of identifier it is.
package enum DirectoryRecord {
    package typealias ID = Identifier<DirectoryRecord>
}

/// Two records that may be one, found by a scan.
package struct Duplicate: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Duplicate>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Nobody has decided.
        case open
        /// Somebody has said that they are two; no scan brings them back.
        case dismissed
        /// They were merged.
        case merged

        /// The life of a pair:
        /// ```
        /// open ◀──▶ dismissed
        ///  ▲ │          │
        ///  │ ▼          │
        /// merged ◀──────┘
        /// ```
        /// An undone merge leaves it open: who undid it may dismiss it.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.open, .dismissed), (.open, .merged): true
            case (.dismissed, .open), (.dismissed, .merged): true
            case (.merged, .open): true
            default: false
            }
        }
    }

    /// What can speak for two records being one, or against it.
    package enum Rule: String, Codable, CaseIterable, Sendable {
        case sameSiren, sameEmail, sameMailbox, sameTelephone, sameWebsite
        /// Organizations and experts: the same name, accents, case, signs and legal form apart, in the same place.
        case sameNameAndPostalCode, sameNameAndDepartement
        /// Names that begin alike and differ in some letters, under one postal code.
        case similarNameAndPostalCode
        /// People: the same full name; given and family name exchanged; nearly the same in one organization. Of organizations and experts
        /// the same name, where of one of them nobody knows the place.
        case sameName, swappedNames, similarNameInOrganization
        /// Adds to what another rule has found.
        case sameOrganization
        /// Speaks against it: two establishments.
        case differentSiret
        /// Speaks against it: a branch and its head, or two branches of one head.
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

    /// Why the two may be one, or may not.
    package struct Reason: Codable, Hashable, Sendable {
        package var rule: Rule
        /// What it added to the score, below 0 where it speaks against it.
        package var weight: Int
    }

    /// One of the two.
    package struct Side: Codable, Hashable, Sendable {
        package var id: DirectoryRecord.ID
        /// Absent when the record is in the directory no more.
        package var name: String?
    }

    package var id: ID
    package var kind: RecordKind
    package var first: Side
    package var second: Side
    /// The sum of the weights, from 0 to 100.
    package var score: Int
    /// The heaviest first.
    package var reasons: [Reason]
    package var state: State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Lists pairs, the most likely first.
package enum ListDuplicates: Endpoint {
    package static let operation = Operation(
        .get, "/v1/duplicates", "Lists pairs of records that may be one, the most likely first.",
        access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var kind: RecordKind?
        package var state: Duplicate.State?
        /// 0 to 100.
        package var minimumScore: Int?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            kind: RecordKind? = nil, state: Duplicate.State? = nil, minimumScore: Int? = nil, limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.kind = kind
            self.state = state
            self.minimumScore = minimumScore
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Duplicate>
}

/// Remembers that the two are not one: no scan brings the pair back.
package enum DismissDuplicate: Endpoint {
    package static let operation = Operation(
        .post, "/v1/duplicates/{duplicate}/dismissal", "Remembers that two records are not one.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = DuplicatePath
    package typealias Response = Duplicate
}

/// Takes a dismissal back: the pair is open again.
package enum ReopenDuplicate: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/duplicates/{duplicate}/dismissal", "Opens a pair again that was dismissed.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = DuplicatePath
    package typealias Response = Duplicate
}

/// `/v1/duplicates/{duplicate}`
package struct DuplicatePath: Codable, Sendable {
    package var duplicate: Duplicate.ID

    package init(duplicate: Duplicate.ID) {
        self.duplicate = duplicate
    }
}

/// A search of the whole directory, or of what has changed since the last one.
package struct DuplicateScan: Codable, Hashable, Sendable {
    package typealias ID = Identifier<DuplicateScan>

    package var id: ID
    package var whole: Bool
    package var requestedAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    /// Records looked at so far.
    package var examined: Int
    /// Pairs that were not known.
    package var found: Int
    /// Open pairs that are none any more.
    package var dropped: Int
}

/// Starts a scan; it runs by itself every night too.
package enum ScanDuplicates: Endpoint {
    package static let operation = Operation(
        .post, "/v1/duplicate-scans", "Starts a search for duplicates.", success: .accepted, access: .roles(.operator))

    package struct Body: Codable, Sendable {
        /// Whether to look at every record; otherwise at those that have changed since the last scan.
        package var whole: Bool?

        package init(whole: Bool? = nil) {
            self.whole = whole
        }
    }

    package typealias Response = DuplicateScan
}

/// Shows how far a scan is.
package enum GetDuplicateScan: Endpoint {
    package static let operation = Operation(
        .get, "/v1/duplicate-scans/{scan}", "Shows a search for duplicates.", access: .roles(.operator, .auditor),
        problems: [.notFound])

    package struct Path: Codable, Sendable {
        package var scan: DuplicateScan.ID

        package init(scan: DuplicateScan.ID) {
            self.scan = scan
        }
    }

    package typealias Response = DuplicateScan
}
