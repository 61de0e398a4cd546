import HTTPTypes

/// One issue of the Flash info: its items, and one edition for each audience.
package struct Issue: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Issue>

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Being written.
        case draft
        /// Will be sent at a time.
        case scheduled
        /// Its deliveries are frozen and being sent.
        case sending
        /// Being sent, but not now: by the staff, or by the service itself, which gives its reason.
        case paused
        /// No delivery is open. Not everybody has got it: see ``ListMissed``.
        case sent
        /// Will not be sent, or not any further.
        case cancelled

        /// The life cycle of an issue:
        /// ```
        ///   ┌──────────┐
        ///   ▼          │
        /// draft ──▶ scheduled ──▶ sending ◀──▶ paused
        ///   │ └────────┼────────▶  │ ▲            │
        ///   │          │           ▼ │ (resend)   │
        ///   │          │          sent            │
        ///   └──────────┴──▶ cancelled ◀───────────┘ (also from sending)
        /// ```
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.draft, .scheduled), (.draft, .sending), (.draft, .cancelled): true
            case (.scheduled, .sending), (.scheduled, .draft), (.scheduled, .cancelled): true
            case (.sending, .paused), (.sending, .sent), (.sending, .cancelled): true
            case (.paused, .sending), (.paused, .cancelled): true
            case (.sent, .sending): true
            default: false
            }
        }
    }

    package var id: ID
    /// Consecutive from 1, over all issues.
    package var number: Int
    /// The subject of the e-mails.
    package var title: Line
    package var introduction: Prose?
    package var state: State
    package var items: [IssueItem]
    package var editions: [Edition]
    /// When it will be sent; absent if that was never decided.
    package var scheduledFor: Timestamp?
    /// When its deliveries were frozen: from then on they are sent.
    package var frozenAt: Timestamp?
    /// Why it is paused, or did not begin at its time; absent if the staff paused it.
    package var holdReason: String?
    /// 1 for what was written, and one more with each correction.
    package var contentVersion: Int
    /// Of an erratum: the issue that it is about. It is sent only to who got an earlier version of that.
    package var erratumOf: ID?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var sentAt: Timestamp?
}

/// One item of an issue.
package struct IssueItem: Codable, Hashable, Sendable {
    package typealias ID = Identifier<IssueItem>

    /// The kind of information, in the categories that the experts ask for.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case corporate, product, technical, marketing, commercial
    }

    package var id: ID
    package var kind: Kind
    package var title: Line
    package var text: Prose
    package var link: WebAddress?
    package var resource: Resource.ID?
    /// Who receives it; both audiences by default.
    package var audiences: [Edition.Audience]
}

/// An issue as sent to one audience, and the state of its e-mails.
package struct Edition: Codable, Hashable, Sendable {
    package enum Audience: String, Codable, CaseIterable, Sendable {
        case ambassadors, experts
    }

    package var audience: Audience
    /// Whether all recipients have been fetched from the directory.
    package var resolved: Bool
    package var counts: DeliveryCounts
}

/// The number of deliveries of an edition in each state; their sum is the number of addresses.
package struct DeliveryCounts: Codable, Hashable, Sendable {
    package var pending: Int
    package var sending: Int
    package var sent: Int
    package var failed: Int
    package var uncertain: Int
    package var suppressed: Int
    package var cancelled: Int
    package var skipped: Int

    package var total: Int { pending + sending + sent + failed + uncertain + suppressed + cancelled + skipped }
}

/// Creates an issue.
package enum CreateIssue: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues", "Creates a Flash info, as a draft.", success: .created, access: .roles(.operator, .editor))

    package struct Body: Codable, Sendable {
        package var title: Line
        package var introduction: Prose?

        package init(title: Line, introduction: Prose? = nil) {
            self.title = title
            self.introduction = introduction
        }
    }

    package typealias Response = Issue
}

/// Lists issues, newest first.
package enum ListIssues: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues", "Lists issues, newest first.", access: .roles(.operator, .editor, .auditor))

    package struct Filter: OptionalParameters {
        package var state: Issue.State?

        package init() {}

        package init(state: Issue.State? = nil) {
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<IssueSummary>
}

/// An issue without its items.
package struct IssueSummary: Codable, Hashable, Sendable {
    package var id: Issue.ID
    package var number: Int
    package var title: Line
    package var state: Issue.State
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var sentAt: Timestamp?
}

/// Shows an issue with its items and, once sent, the state of its e-mails.
package enum GetIssue: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}", "Shows an issue.", access: .roles(.operator, .editor, .auditor),
        problems: [.notFound])

    package typealias Path = Issue.ID
    package typealias Response = Issue
}

/// Adds an item at the end of a draft issue.
package enum AddIssueItem: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/items", "Adds an item to a draft.", success: .created,
        access: .roles(.operator, .editor), problems: [.notFound, .issueNotDraft, .resourceEmbargoed])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var kind: IssueItem.Kind
        package var title: Line
        package var text: Prose
        package var link: WebAddress?
        package var resource: Resource.ID?
        package var audiences: [Edition.Audience]?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "audiences": .most(Edition.Audience.allCases.count)
        ]

        package init(
            kind: IssueItem.Kind, title: Line, text: Prose, link: WebAddress? = nil, resource: Resource.ID? = nil,
            audiences: [Edition.Audience]? = nil
        ) {
            self.kind = kind
            self.title = title
            self.text = text
            self.link = link
            self.resource = resource
            self.audiences = audiences
        }
    }

    package typealias Response = IssueItem
}

/// Sends, schedules, pauses, resumes or cancels an issue. One whose checks have errors is neither sent nor scheduled; the
/// problem has them all.
package enum TransitionIssue: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/transitions", "Sends, schedules, pauses, resumes or cancels an issue.",
        access: .roles(.operator, .editor),
        problems: [.notFound, .transitionNotAllowed, .issueNotReady, .resourceEmbargoed])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable {
        package var to: Issue.State
        /// When to send it, in the future; with `scheduled` only, which needs it.
        package var scheduledFor: Timestamp?

        package init(to: Issue.State, scheduledFor: Timestamp? = nil) {
            self.to = to
            self.scheduledFor = scheduledFor
        }
    }

    package typealias Response = Issue
}

extension ProblemType {
    package static let issueNotDraft = ProblemType(
        "issue-not-draft", "The issue is no longer a draft", .conflict)
    package static let resourceEmbargoed = ProblemType(
        "resource-embargoed", "The resource cannot be published now", .conflict)
    package static let resourcePublished = ProblemType(
        "resource-published", "An issue has published the resource: it can no longer be put under an embargo", .conflict
    )
}
