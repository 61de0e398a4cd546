import HTTPTypes

/// What a reader wants of what they agreed to get, at one address. Only who has a link of a mail to that address, or of a
/// letter that was asked for, sees and changes it.
package struct ReaderPreference: Codable, Hashable, Sendable {
    package typealias ID = Identifier<ReaderPreference>

    /// How often the reader wants the Flash info.
    package enum Rhythm: String, Codable, CaseIterable, Sendable {
        case everyIssue
        /// At most one in a calendar month of Paris.
        case monthly
    }

    /// The kinds of information wanted; all if absent, and those to come.
    package var kinds: [IssueItem.Kind]?
    package var rhythm: Rhythm
    /// No Flash info is sent before this day.
    package var pausedUntil: Day?

    package init(kinds: [IssueItem.Kind]? = nil, rhythm: Rhythm = .everyIssue, pausedUntil: Day? = nil) {
        self.kinds = kinds
        self.rhythm = rhythm
        self.pausedUntil = pausedUntil
    }
}

/// The page behind the link to leave what a mail is for. Opening it changes nothing, because mail scanners follow links;
/// its button does.
package enum ShowUnsubscription: Endpoint {
    package static let operation = Operation(
        .get, "/v1/unsubscriptions/{token}", "Page: asks whether the reader of a mail wants to leave what it is for.",
        access: .anyone, problems: [.notFound, .erased], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// The page with what the reader of a mail gets, and wants.
package enum ShowPreferences: Endpoint {
    package static let operation = Operation(
        .get, "/v1/preferences/{token}", "Page: what the reader of a mail wants to get.", access: .anyone,
        problems: [.notFound, .erased], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Changes what the reader of a mail gets. Invalid input is reported next to its field, and nothing is changed.
package enum ChangePreferences: Endpoint {
    package static let operation = Operation(
        .post, "/v1/preferences/{token}", "Form: changes what the reader of a mail gets.", access: .anyone,
        problems: [.notFound, .erased], consumes: .form, produces: .html)

    package enum Action: String, Codable, CaseIterable, Sendable {
        /// Keeps the other fields.
        case save
        /// Ends the purpose, by default that of the link's mail.
        case leave
        /// Ends all purposes.
        case leaveAll
        /// Takes back having left the purpose; within ``ConsentReturn/days``.
        case comeBack = "return"
    }

    /// As sent by a browser: the boxes that are ticked, and every other field.
    package struct Body: Codable, Sendable, BoundedFields {
        package var action: Action
        /// To leave or to come back to.
        package var purpose: Suppression.Purpose?
        /// Of the Flash info; at least one.
        package var kinds: [IssueItem.Kind]
        package var rhythm: ReaderPreference.Rhythm?
        /// `YYYY-MM-DD`, after today and at most a year ahead; empty for none.
        package var pausedUntil: String?
        package var eventInvitations: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["kinds": .most(FlatCoding.mostPairs)]

        package init(action: Action, purpose: Suppression.Purpose? = nil, kinds: [IssueItem.Kind] = []) {
            self.action = action
            self.purpose = purpose
            self.kinds = kinds
        }
    }

    package typealias Path = String
    package typealias Response = TextDocument
}

/// Mails the reader of an address the link to their preferences, if it is one that the club writes to; not more than one
/// in ten minutes. The response and its timing are the same either way, so they do not reveal who the readers are.
package enum RequestPreferenceLink: Endpoint {
    package static let operation = Operation(
        .post, "/v1/preference-links", "Mails the reader of an address the link to their preferences, if they are one.",
        success: .accepted, access: .anyone, problems: [.tooManyRequests])

    package struct Body: Codable, Sendable {
        package var email: EmailAddress

        package init(email: EmailAddress) {
            self.email = email
        }
    }
}
