import HTTPTypes

/// Changes the title or the introduction of a draft by a merge patch.
package enum ChangeIssue: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/issues/{issue}", "Changes a draft.", access: .roles(.operator, .editor),
        problems: [.notFound, .issueNotDraft], requiresIfMatch: true)

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable {
        /// The subject of the e-mails.
        package var title: Line?
        package var introduction: Patched<Prose>

        package init(title: Line? = nil, introduction: Patched<Prose> = nil) {
            self.title = title
            self.introduction = introduction
        }
    }

    package typealias Response = Issue
}

/// Changes an item of a draft by a merge patch. `If-Match` has the version of the issue, which items have in common.
package enum ChangeIssueItem: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/issues/{issue}/items/{item}", "Changes an item of a draft.", access: .roles(.operator, .editor),
        problems: [.notFound, .issueNotDraft, .resourceEmbargoed], requiresIfMatch: true)

    package typealias Path = IssueItemPath

    package struct Body: Codable, Sendable, BoundedFields {
        package var kind: IssueItem.Kind?
        package var title: Line?
        package var text: Prose?
        package var link: Patched<WebAddress>
        package var resource: Patched<Resource.ID>
        /// At least one.
        package var audiences: [Edition.Audience]?

        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "audiences": .elements(1...Edition.Audience.allCases.count)
        ]

        package init(
            kind: IssueItem.Kind? = nil, title: Line? = nil, text: Prose? = nil, link: Patched<WebAddress> = nil,
            resource: Patched<Resource.ID> = nil, audiences: [Edition.Audience]? = nil
        ) {
            self.kind = kind
            self.title = title
            self.text = text
            self.link = link
            self.resource = resource
            self.audiences = audiences
        }
    }

    package typealias Response = Issue
}

/// Removes an item from a draft. `If-Match` has the version of the issue.
package enum RemoveIssueItem: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/issues/{issue}/items/{item}", "Removes an item from a draft.",
        access: .roles(.operator, .editor), problems: [.notFound, .issueNotDraft], requiresIfMatch: true)

    package typealias Path = IssueItemPath
    package typealias Response = Issue
}

/// `/v1/issues/{issue}/items/{item}`
package struct IssueItemPath: PathVariables {
    package var issue: Issue.ID
    package var item: IssueItem.ID

    package init(issue: Issue.ID, item: IssueItem.ID) {
        self.issue = issue
        self.item = item
    }
}
