import HTTPTypes

/// A letter to a member about a contribution, due or already requested.
package struct ContributionReminder: Codable, Hashable, Sendable {
    package enum Step: String, Codable, CaseIterable, Sendable {
        /// The call itself.
        case called
        /// A week before the last day for payment.
        case upcoming
        /// Fifteen days after it.
        case late
        /// Thirty days after it.
        case final
    }

    package enum State: String, Codable, CaseIterable, Sendable {
        /// Due today; sent in the morning or on request, if there is an address.
        case due
        /// Handed to the service that mails it.
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
    /// Days from today to the last day for payment; negative once that is past.
    package var days: Int
    /// What is owed today.
    package var owed: Money
    /// Whether an e-mail address is known.
    package var hasAddress: Bool
    package var askedAt: Timestamp?
    package var sentAt: Timestamp?
}

/// Lists the letters to members about what they owe, latest contributions first.
package enum ListContributionReminders: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contribution-reminders", "Lists letters about contributions, due and sent.",
        access: .roles(.operator, .auditor))

    package struct Filter: OptionalParameters {
        package var state: ContributionReminder.State?

        package init() {}

        package init(state: ContributionReminder.State? = nil) {
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<ContributionReminder>
}

/// Sends letters to members about what they owe: the call, a week before the last day for payment, and fifteen and
/// thirty days after it. Each is sent once, and none if the contribution is paid. Runs every morning; calling it
/// again sends nothing twice.
package enum SendContributionReminders: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contribution-reminders", "Writes to members about what they owe.", access: .roles(.operator))

    package typealias Response = ContributionReminders
}

/// The number of letters requested.
package struct ContributionReminders: Codable, Hashable, Sendable {
    package var letters: Int
    /// Contributions for which a letter is due but no address is known.
    package var withoutAddress: Int

    package init(letters: Int, withoutAddress: Int) {
        self.letters = letters
        self.withoutAddress = withoutAddress
    }
}
