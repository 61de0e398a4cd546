import HTTPTypes

/// Something that an editor should know before an issue is sent.
package struct IssueFinding: Codable, Hashable, Sendable {
    package enum Severity: String, Codable, CaseIterable, Sendable {
        /// The issue is not sent, and not scheduled.
        case error
        /// The issue can be sent.
        case warning
    }

    package enum Code: String, Codable, CaseIterable, Sendable {
        /// An edition has no item.
        case noItem
        /// The mails could not say who sends them, as they must (CPCE, article L34-5): `SENDER_FILE` is not set.
        case noSender
        /// An item's resource is under an embargo when the issue would be sent.
        case resourceEmbargoed
        /// An item's resource has expired when the issue would be sent.
        case resourceExpired
        /// Without `PUBLIC_URL` readers cannot leave by a link.
        case noPublicURL
        /// The links by which readers leave are not encrypted on their way, and many mail programs do not follow them
        /// (RFC 8058 requires https).
        case insecurePublicURL
        /// Mail programs cut the subject off.
        case longSubject
        /// An issue of the last 90 days had the same title: mail programs show both as one conversation.
        case repeatedTitle
        /// An item has no link.
        case noLink
        /// An item's text only repeats its title.
        case noText
        /// Two items of an edition have the same title.
        case repeatedItem
        /// An item's link is not encrypted.
        case insecureLink
        /// Gmail cuts a mail off after 102 KB, and so the link to leave at its end.
        case longMail

        package var severity: Severity {
            switch self {
            case .noItem, .noSender, .resourceEmbargoed, .resourceExpired: .error
            default: .warning
            }
        }
    }

    package var severity: Severity
    package var code: Code
    /// A JSON pointer into the issue, or the name of a setting.
    package var pointer: String
    /// A sentence about it.
    package var detail: String
    /// The item that it is about, if it is one.
    package var item: IssueItem.ID?

    package init(_ code: Code, _ pointer: String, _ detail: String, item: IssueItem.ID? = nil) {
        severity = code.severity
        self.code = code
        self.pointer = pointer
        self.detail = detail
        self.item = item
    }
}

/// Checks an issue as it is now, for its scheduled time if it has one.
package enum CheckIssue: Endpoint {
    package static let operation = Operation(
        .get, "/v1/issues/{issue}/checks", "Lists what is wrong with an issue before it is sent.",
        access: .roles(.operator, .editor, .auditor), problems: [.notFound])

    package typealias Path = Issue.ID

    package struct Response: Codable, Hashable, Sendable {
        /// Errors first, each group in the order of the issue.
        package var findings: [IssueFinding]

        package init(findings: [IssueFinding]) {
            self.findings = findings
        }
    }
}

extension ProblemType {
    package static let issueNotReady = ProblemType(
        "issue-not-ready", "The checks of the issue have errors", .conflict)
}
