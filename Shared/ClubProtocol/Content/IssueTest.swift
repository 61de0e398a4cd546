import HTTPTypes

/// Sends an issue as it is now to a few addresses, to be looked at: with “[Test] ” before the subject, and without a link
/// that leaves. It is none of the issue's deliveries. At most 60 of these mails go out in an hour.
package enum SendIssueTest: Endpoint {
    package static let operation = Operation(
        .post, "/v1/issues/{issue}/tests", "Sends an issue to a few addresses as a test.", success: .accepted,
        access: .roles(.operator, .editor),
        problems: [.notFound, .issueNotTestable, .erased, .addressSuppressed])

    package typealias Path = Issue.ID

    package struct Body: Codable, Sendable, BoundedFields {
        /// One to five.
        package var emails: [EmailAddress]
        /// Which edition.
        package var edition: Edition.Audience

        package static let bounds: KeyValuePairs<String, FieldBound> = ["emails": .elements(1...5)]

        package init(emails: [EmailAddress], edition: Edition.Audience) {
            self.emails = emails
            self.edition = edition
        }
    }

    package struct Response: Codable, Hashable, Sendable {
        /// One for each address, in the same order; an operator can see what became of them.
        package var letters: [Letter.ID]

        package init(letters: [Letter.ID]) {
            self.letters = letters
        }
    }
}

extension ProblemType {
    package static let issueNotTestable = ProblemType(
        "issue-not-testable", "Only a draft, a scheduled or a paused issue is sent as a test", .conflict)
    package static let addressSuppressed = ProblemType(
        "address-suppressed", "An address is on the suppression list", .conflict)
}
