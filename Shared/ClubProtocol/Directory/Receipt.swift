import HTTPTypes

/// The receipt of a contribution that has been paid as a whole: numbered without a gap in each year, and never changed.
package struct Receipt: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Receipt>
}

/// Shows the receipt of a contribution, ready to be printed; none before all is paid.
package enum ShowReceipt: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/receipt", "Page: the receipt of a contribution.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .html)

    package typealias Path = ContributionPath
    package typealias Response = TextDocument
}

/// Shows a receipt by the link of the mail that brought it.
package enum ShowReceiptByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts/{token}", "Page: a receipt, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .html)

    package struct Path: Codable, Sendable {
        package var token: String

        package init(token: String) {
            self.token = token
        }
    }

    package typealias Response = TextDocument
}

/// Writes to members about what they owe: the call, a week before the last day, fifteen and thirty days after it; each
/// once, and nothing to who has paid. It is done every morning by itself; called again, it writes to nobody twice.
package enum RemindContributions: Endpoint {
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
