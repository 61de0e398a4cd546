import HTTPTypes

/// A credit or debit on one of the club's bank accounts.
///
/// ```
///   open ──booking──▶ booked
///    │ ▲
///    ▼ │
///   dismissed
/// ```
package struct BankLine: Codable, Hashable, Sendable {
    package typealias ID = Identifier<BankLine>

    package enum State: String, Codable, CaseIterable, Sendable {
        case open, booked, dismissed

        /// Which transitions are allowed. A booked line stays booked; wrong payments are reversed by further ones.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.open, .booked), (.open, .dismissed), (.dismissed, .open): true
            case (.open, .open), (.booked, _), (.dismissed, _): false
            }
        }
    }

    /// What a line was booked as: a payment, or a refund from an organization's credit.
    package struct Booking: Codable, Hashable, Sendable {
        package var organization: Organization.ID
        package var amount: Money
        package var payment: Payment.ID?
        package var contribution: Contribution.ID?
        package var creditEntry: CreditEntry.ID?
    }

    package var id: ID
    package var statement: BankStatement.ID
    /// An IBAN, or the bank's own number.
    package var account: Line
    /// The bank's own reference; for a table, the beginning of the digest that identifies the line.
    package var reference: Line
    package var bookedOn: Day
    /// The value date.
    package var valueOn: Day?
    /// Negative for a debit.
    package var amount: Money
    /// The payer or the payee; absent if the bank does not give it separately from the text.
    package var counterparty: Line?
    /// On whose behalf the counterparty paid or was paid, if the bank states it.
    package var ultimateParty: Line?
    package var counterpartyIBAN: IBAN?
    /// What the payer wrote, including the creditor's reference, and the bank's own description; for a table, its
    /// texts.
    package var remittance: Prose?
    /// The end-to-end identifier from the payer's system.
    package var endToEnd: Line?
    package var state: State
    /// Why the line was dismissed.
    package var reason: Line?
    /// What the line was booked as; empty if it was not booked.
    package var bookings: [Booking]
    /// Up to ten other lines that may be the same money, worded differently in another file: with the same account,
    /// day and amount, or several that add up to it. Only one of them is booked; booking another requires
    /// confirmation.
    package var alike: [ID]
    /// What the line may be, likeliest first; absent unless it is open.
    package var proposals: [BankProposal]?
    /// When its texts were deleted (see the retention rules).
    package var forgottenAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What an open line may be: one or several contributions of one organization, the return of its payments, or a
/// refund from its credit. A person decides.
package struct BankProposal: Codable, Hashable, Sendable {
    /// Why the proposal is made.
    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// The text contains the number of the contribution.
        case reference
        /// The amount equals what is still owed; for a returned payment, what was paid; for a refund, the whole
        /// credit.
        case amount
        /// The counterparty has the same name as the organization.
        case name
    }

    /// A contribution, and the amount to be booked on it.
    package struct Part: Codable, Hashable, Sendable {
        package var contribution: Contribution.ID
        /// As shown on the call for the contribution: `2027-12`.
        package var number: Line
        package var amount: Money

        package init(contribution: Contribution.ID, number: Line, amount: Money) {
            self.contribution = contribution
            self.number = number
            self.amount = amount
        }
    }

    package var organization: Organization.ID
    package var name: Line
    package var reasons: [Reason]
    /// 1 to 100; only for sorting.
    package var score: Int
    /// Amounts paid, or returned if negative; empty for a refund.
    package var contributions: [Part]
    /// Money refunded from the organization's credit.
    package var refund: Money?

    package init(
        organization: Organization.ID, name: Line, reasons: [Reason], score: Int, contributions: [Part] = [],
        refund: Money? = nil
    ) {
        self.organization = organization
        self.name = name
        self.reasons = reasons
        self.score = score
        self.contributions = contributions
        self.refund = refund
    }
}

/// Lists lines, latest first; open ones with what they may be.
package enum ListBankLines: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-lines", "Lists bank lines, latest first, with proposals for those that are open.",
        access: .roles(.operator, .auditor))

    package struct Filter: OptionalParameters {
        package var state: BankLine.State?
        package var statement: BankStatement.ID?

        package init() {}

        package init(state: BankLine.State? = nil, statement: BankStatement.ID? = nil) {
            self.state = state
            self.statement = statement
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<BankLine>
}

/// Shows one line.
package enum GetBankLine: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-lines/{line}", "Shows a bank line, with proposals while it is open.",
        access: .roles(.operator, .auditor), problems: [.notFound])

    package typealias Path = BankLine.ID
    package typealias Response = BankLine
}

/// Books a line, once: as the payment of one contribution, as payments of several with their amounts, or as a refund
/// from an organization's credit. Payments take the line's day and reference. If a line that may be the same is
/// already booked, requires confirmation that this one is different (409 `bank-line-alike`).
package enum BookBankLine: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-lines/{line}/bookings", "Books a bank line, as a person decided.", success: .created,
        access: .roles(.operator),
        problems: [
            .notFound, .transitionNotAllowed, .bankLineAlike, .contributionOverpaid, .contributionCancelled,
            .creditExceeded,
        ])

    package typealias Path = BankLine.ID

    /// Exactly one of the first three.
    package struct Body: Codable, Sendable, BoundedFields {
        package struct Part: Codable, Hashable, Sendable {
            package var contribution: Contribution.ID
            /// Negative if the line's amount is.
            package var amount: Money

            package init(contribution: Contribution.ID, amount: Money) {
                self.contribution = contribution
                self.amount = amount
            }
        }

        /// The contribution that the whole line pays.
        package var contribution: Contribution.ID?
        /// 1 to 50 contributions that the line pays; the amounts must add up to the line's.
        package var contributions: [Part]?
        /// The organization from whose credit the whole line was refunded.
        package var refund: Organization.ID?
        /// `transfer` by default; not `credit`.
        package var means: Payment.Means?
        /// Confirms that this is different money from the booked lines in `alike`.
        package var another: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["contributions": .elements(1...50)]

        package init(
            contribution: Contribution.ID? = nil, contributions: [Part]? = nil, refund: Organization.ID? = nil,
            means: Payment.Means? = nil, another: Bool? = nil
        ) {
            self.contribution = contribution
            self.contributions = contributions
            self.refund = refund
            self.means = means
            self.another = another
        }
    }

    package typealias Response = BankLine
}

/// Records that a line is not to be booked.
package enum DismissBankLine: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-lines/{line}/dismissal", "Dismisses a bank line that is not to be booked.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = BankLine.ID

    package struct Body: Codable, Sendable {
        package var reason: Line

        package init(reason: Line) {
            self.reason = reason
        }
    }

    package typealias Response = BankLine
}

/// Undoes a dismissal: the line is open again.
package enum ReopenBankLine: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/bank-lines/{line}/dismissal", "Reopens a dismissed bank line.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = BankLine.ID
    package typealias Response = BankLine
}

extension ProblemType {
    package static let bankLineAlike = ProblemType(
        "bank-line-alike", "A line that may be the same payment is booked: confirm that this is another, or dismiss it",
        .conflict)
}
