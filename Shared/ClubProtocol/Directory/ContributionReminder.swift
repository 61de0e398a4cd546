import HTTPTypes

/// A letter to a member about a contribution: one that is due to be written, or one that was.
package struct ContributionReminder: Codable, Hashable, Sendable {
    package enum Step: String, Codable, CaseIterable, Sendable {
        /// The call itself.
        case called
        /// A week before the last day.
        case upcoming
        /// Fifteen days after it.
        case late
        /// Thirty days after it.
        case final
    }

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Today calls for it; it is written in the morning, or when somebody asks, if there is an address.
        case due
        /// On its way to the service that mails it.
        case asked
        case sent
    }

    package var contribution: Contribution.ID
    package var organization: Organization.ID
    package var name: Line
    package var year: Int
    package var number: Int
    package var step: Step
    package var state: State
    package var dueOn: Day
    /// Days from today to the last day for paying; below zero when that is over.
    package var days: Int
    /// What is owed today.
    package var owed: Money
    /// Whether anybody knows where to write to.
    package var hasAddress: Bool
    package var askedAt: Timestamp?
    package var sentAt: Timestamp?
}

/// Lists the letters to members about what they owe, those about the latest contributions first.
package enum ListContributionReminders: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contribution-reminders", "Lists letters about contributions, due and sent.",
        access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var state: ContributionReminder.State?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(state: ContributionReminder.State? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.state = state
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<ContributionReminder>
}

/// Writes to members about what they owe: the call, a week before the last day, fifteen and thirty days after it; each
/// once, and nothing to who has paid. It is done every morning by itself; called again, it writes to nobody twice.
package enum SendContributionReminders: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contribution-reminders", "Writes to members about what they owe.", access: .roles(.operator))

    package typealias Response = ContributionReminders
}

/// How many letters were asked for.
package struct ContributionReminders: Codable, Hashable, Sendable {
    package var letters: Int
    /// Contributions that a letter is due for, and no address is known.
    package var withoutAddress: Int

    package init(letters: Int, withoutAddress: Int) {
        self.letters = letters
        self.withoutAddress = withoutAddress
    }
}
