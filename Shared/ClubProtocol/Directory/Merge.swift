import HTTPTypes

/// One record merged into another: what both contained, and how to restore them.
package struct Merge: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Merge>

    package enum State: String, Codable, CaseIterable, Sendable {
        case done, undone
    }

    /// A number of rows of one kind.
    package struct Count: Codable, Hashable, Sendable {
        /// The name in the change feed: `mandate`.
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
    /// Rows that now refer to the survivor instead of the merged record; empty once undone.
    package var moved: [Count]
    /// Redundant rows, kept with the merge until it is undone: a second enrolment, a mandate within another, a second
    /// offer of one referral.
    package var setAside: [Count]
    package var mergedBy: String
    package var mergedAt: Timestamp
    package var undoneBy: String?
    package var undoneAt: Timestamp?
    /// Fields of the survivor that were edited between merge and undo. Its e-mail address, enrolment days and consent
    /// answers keep the edits; the undo reverted the other fields.
    package var edits: [String: JSONValue]?
    package var version: Int
}

/// Merges a record into another of its kind, in one transaction.
///
/// The survivor keeps its fields; empty ones take the merged record's values. Lists are joined, and the latest
/// consent answer counts. If either record is enrolled, the survivor is, from the earlier first day and with the
/// later confirmation. Every reference to the merged record is moved to the survivor. Conflicts, such as two
/// contributions for one year, are reported and prevent the merge, and so does a pending erasure.
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
        /// Which record's value to keep, by field name: `{"email": "merged"}`. Related fields, such as SIREN and
        /// SIRET, or postal code, commune and département, are chosen together.
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

/// Lists merges, latest first.
package enum ListMerges: Endpoint {
    package static let operation = Operation(
        .get, "/v1/merges", "Lists merges, the latest first.", access: .roles(.operator, .auditor))

    package struct Filter: OptionalParameters {
        package var kind: RecordKind?
        /// Merges in which this record survived or was merged.
        package var record: DirectoryRecord.ID?

        package init() {}

        package init(kind: RecordKind? = nil, record: DirectoryRecord.ID? = nil) {
            self.kind = kind
            self.record = record
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Merge>
}

/// Shows one merge.
package enum GetMerge: Endpoint {
    package static let operation = Operation(
        .get, "/v1/merges/{merge}", "Shows a merge.", access: .roles(.operator, .auditor), problems: [.notFound])

    package typealias Path = Merge.ID
    package typealias Response = Merge
}

/// Restores both records exactly as they were, and every reference that was moved, except those changed since. What
/// was added to the survivor in the meantime stays with it. So do people's own changes: a new e-mail address,
/// leaving, coming back, confirming, and consent answers. A consent withdrawn from the survivor stays withdrawn for
/// both.
package enum UndoMerge: Endpoint {
    package static let operation = Operation(
        .post, "/v1/merges/{merge}/undo", "Undoes a merge: restores both records.", access: .roles(.operator),
        problems: [.notFound, .mergeUndone, .mergeFollowed, .undoBlocked])

    package typealias Path = Merge.ID
    package typealias Response = Merge
}

/// The data of the entity `merge` in the directory's change feed.
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
    package static let merged = ProblemType("merged", "The record was merged into another", .gone)
    package static let mergeBlocked = ProblemType(
        "merge-blocked", "The two records contradict each other", .conflict)
    package static let mergeUndone = ProblemType("merge-undone", "The merge has already been undone", .conflict)
    package static let mergeFollowed = ProblemType(
        "merge-followed", "A later merge has to be undone first", .conflict)
    package static let undoBlocked = ProblemType("undo-blocked", "Something has taken its place since", .conflict)
}
