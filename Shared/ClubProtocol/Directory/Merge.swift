import HTTPTypes

/// One record taken into another: what both were, and how to bring them back.
package struct Merge: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Merge>

    package enum State: String, Codable, CaseIterable, Sendable {
        case done, undone
    }

    /// Rows of one kind, counted.
    package struct Count: Codable, Hashable, Sendable {
        /// As the change feed names it: `mandate`.
        package var entity: String
        package var count: Int
    }

    package var id: ID
    package var kind: RecordKind
    package var survivor: DirectoryRecord.ID
    package var merged: DirectoryRecord.ID
    package var state: State
    /// The fields that the survivor took from the merged record.
    package var fields: [String]
    /// What refers to the survivor instead of the merged record; empty once undone.
    package var moved: [Count]
    /// What said the same thing twice, and is kept with the merge until it is undone: a second enrolment, a mandate within
    /// another, a second offer of one referral.
    package var setAside: [Count]
    package var mergedBy: String
    package var mergedAt: Timestamp
    package var undoneBy: String?
    package var undoneAt: Timestamp?
    /// What had been edited on the survivor between merge and undo. Its e-mail address, the days of its enrolment and answers on
    /// consent stay; the undo took the other values back.
    package var edits: [String: JSONValue]?
    package var version: Int
}

/// Merges a record into another of its kind, in one transaction.
///
/// The survivor keeps its fields; where one is empty it takes the merged record's, lists are joined, and of answers on
/// consent the latest counts. Who is enrolled by either record is enrolled, since the first day and with the last
/// confirmation of both. Everything that refers to the merged record refers to the survivor afterwards. What would then
/// contradict itself, as two contributions of one year, is named and stands in the way, and so does an erasure that waits.
package enum MergeRecords: Endpoint {
    package static let operation = Operation(
        .post, "/v1/merges", "Merges a record into another.", success: .created, access: .roles(.operator),
        problems: [.mergeBlocked])

    package struct Body: Codable, Sendable {
        package enum Side: String, Codable, CaseIterable, Sendable {
            case survivor, merged
        }

        package var kind: RecordKind
        package var survivor: DirectoryRecord.ID
        package var merged: DirectoryRecord.ID
        /// By the name of a field, whose value wins: `{"email": "merged"}`. What belongs together, as SIREN and SIRET, or
        /// postal code, commune and département, is chosen together.
        package var choices: [String: Side]?

        package init(
            kind: RecordKind, survivor: DirectoryRecord.ID, merged: DirectoryRecord.ID, choices: [String: Side]? = nil
        ) {
            self.kind = kind
            self.survivor = survivor
            self.merged = merged
            self.choices = choices
        }
    }

    package typealias Response = Merge
}

/// Lists merges, the latest first.
package enum ListMerges: Endpoint {
    package static let operation = Operation(
        .get, "/v1/merges", "Lists merges, the latest first.", access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var kind: RecordKind?
        /// Merges in which this record survived or went.
        package var record: DirectoryRecord.ID?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            kind: RecordKind? = nil, record: DirectoryRecord.ID? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.kind = kind
            self.record = record
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Merge>
}

/// Shows one merge.
package enum GetMerge: Endpoint {
    package static let operation = Operation(
        .get, "/v1/merges/{merge}", "Shows a merge.", access: .roles(.operator, .auditor), problems: [.notFound])

    package typealias Path = MergePath
    package typealias Response = Merge
}

/// Brings both records back exactly as they were, and everything that was moved, save what has been pointed elsewhere since.
/// What was added to the survivor in the meantime stays with it, and so does what people say of themselves: a changed e-mail
/// address, leaving, coming back or confirming, and answers on consent. Who withdrew a consent withdrew it for both.
package enum UndoMerge: Endpoint {
    package static let operation = Operation(
        .post, "/v1/merges/{merge}/undo", "Brings both records of a merge back.", access: .roles(.operator),
        problems: [.notFound, .mergeUndone, .mergeFollowed, .undoBlocked])

    package typealias Path = MergePath
    package typealias Response = Merge
}

/// `/v1/merges/{merge}`
package struct MergePath: Codable, Sendable {
    package var merge: Merge.ID

    package init(merge: Merge.ID) {
        self.merge = merge
    }
}

/// What followers of the directory's feed get of the entity `merge`.
package struct MergeNotice: Codable, Hashable, Sendable {
    package var id: Merge.ID
    package var kind: RecordKind
    package var survivor: DirectoryRecord.ID
    package var merged: DirectoryRecord.ID
    package var state: Merge.State

    package init(
        id: Merge.ID, kind: RecordKind, survivor: DirectoryRecord.ID, merged: DirectoryRecord.ID, state: Merge.State
    ) {
        self.id = id
        self.kind = kind
        self.survivor = survivor
        self.merged = merged
        self.state = state
    }
}

extension ProblemType {
    package static let merged = ProblemType("merged", "It was merged into another", .gone)
    package static let mergeBlocked = ProblemType(
        "merge-blocked", "Both together would contradict each other", .conflict)
    package static let mergeUndone = ProblemType("merge-undone", "The merge was undone already", .conflict)
    package static let mergeFollowed = ProblemType(
        "merge-followed", "A later merge has to be undone first", .conflict)
    package static let undoBlocked = ProblemType("undo-blocked", "Something took its place since", .conflict)
}
