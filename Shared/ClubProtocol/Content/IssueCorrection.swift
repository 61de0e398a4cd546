import HTTPTypes

/// A change of an item of an issue that is being sent: the content of the issue has a new version from then on, and the
/// earlier text stays on record.
package struct IssueCorrection: Codable, Hashable, Sendable {
    /// What an item said before.
    package struct Earlier: Codable, Hashable, Sendable {
        package var title: Line
        package var text: Prose
        package var link: WebAddress?
    }

    package var item: IssueItem.ID
    /// The version of the content that it made: 2 for the first correction.
    package var contentVersion: Int
    package var earlier: Earlier
    /// Why, in the editor's words.
    package var reason: Line
    package var createdAt: Timestamp
}

/// Corrects an item of a paused issue. No mail that begins after the answer has the earlier text.
package enum CorrectIssue: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/corrections", "Corrects an item of a paused issue.", success: .created,
        access: .roles(.operator, .editor), problems: [.notFound, .issueNotPaused])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable {
        package var item: IssueItem.ID
        package var title: Line?
        package var text: Prose?
        /// `null` removes the link.
        package var link: Patched<WebAddress>
        package var reason: Line

        package init(
            item: IssueItem.ID, title: Line? = nil, text: Prose? = nil, link: Patched<WebAddress> = nil, reason: Line
        ) {
            self.item = item
            self.title = title
            self.text = text
            self.link = link
            self.reason = reason
        }
    }

    package typealias Response = IssueCorrection
}

/// Lists the corrections of an issue, with what its items said before.
package enum ListCorrections: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/corrections", "Lists the corrections of an issue.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Issue.ID
    package typealias Query = Paged<Empty>
    package typealias Response = Page<IssueCorrection>
}

/// Creates an erratum: a draft with the corrected items of an issue as they are now. It is written and sent as any issue,
/// but only to readers who still agree to the Flash info and whose mail of that issue carried an earlier version.
package enum CreateErratum: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/errata", "Creates an erratum for who got an earlier version of an issue.",
        success: .created, access: .roles(.operator, .editor), problems: [.notFound, .issueNotCorrected])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable {
        /// “Erratum” and the issue's title by default.
        package var title: Line?
        package var introduction: Prose?

        package init(title: Line? = nil, introduction: Prose? = nil) {
            self.title = title
            self.introduction = introduction
        }
    }

    package typealias Response = Issue
}

extension ProblemType {
    package static let issueNotPaused = ProblemType(
        "issue-not-paused", "Only a paused issue is corrected", .conflict)
    package static let issueNotCorrected = ProblemType(
        "issue-not-corrected", "No item of the issue was corrected", .conflict)
}
