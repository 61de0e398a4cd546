import HTTPTypes

/// What came onto an account of the club, or went from it.
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

        /// Which state may follow which. What is booked stays so: payments that were wrong are booked back.
        package func allows(_ next: State) -> Bool {
            switch (self, next) {
            case (.open, .booked), (.open, .dismissed), (.dismissed, .open): true
            case (.open, .open), (.booked, _), (.dismissed, _): false
            }
        }
    }

    /// What a line was booked as: a payment, or money paid back from credit.
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
    /// The bank's own; for a table the beginning of the digest by which a line is known.
    package var reference: Line
    package var bookedOn: Day
    /// From when the money counts.
    package var valueOn: Day?
    /// Below zero where it went out.
    package var amount: Money
    /// Who paid, or was paid; absent where the bank does not say it apart from the text.
    package var counterparty: Line?
    /// For whom the counterparty paid, or was paid, where the bank says so.
    package var ultimateParty: Line?
    package var counterpartyIBAN: IBAN?
    /// What the payer wrote, the creditor's reference with it, and what the bank says of it; or the texts of a table.
    package var remittance: Prose?
    /// What the payer's own system called it.
    package var endToEnd: Line?
    package var state: State
    /// Why it was dismissed.
    package var reason: Line?
    /// What it was booked as; empty unless it was.
    package var bookings: [Booking]
    /// At most ten others that may be the same money, told by another file in other words: of its account, day and amount, or of several
    /// the sum. Of several one is booked; another needs a word.
    package var alike: [ID]
    /// What it may be, the likeliest first; absent unless it is open.
    package var proposals: [BankProposal]?
    /// When the texts of it were forgotten (see the retention rules).
    package var forgottenAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What an open line may be: one contribution or several of one organization, payments of them that were taken back, or money paid back
/// from its credit. A person decides.
package struct BankProposal: Codable, Hashable, Sendable {
    /// Why.
    package enum Reason: String, Codable, CaseIterable, Sendable {
        /// The number of the contribution stands in the text.
        case reference
        /// It is what is still owed; of what was taken back, what was paid; of a refund, all of the credit.
        case amount
        /// Who paid is called like the organization.
        case name
    }

    /// A contribution, and what would be booked on it.
    package struct Part: Codable, Hashable, Sendable {
        package var contribution: Contribution.ID
        /// As a call states it: `2027-12`.
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
    /// 1 to 100: only to put them in order.
    package var score: Int
    /// What is paid, or below zero taken back; empty for a refund.
    package var contributions: [Part]
    /// Money paid back from the organization's credit.
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

/// Lists lines, the latest first; each open one with what it may be.
package enum ListBankLines: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-lines", "Lists bank lines, latest first, with proposals for those that are open.",
        access: .roles(.operator, .auditor))

    package struct Query: Codable, Sendable, PagedQuery {
        package var state: BankLine.State?
        package var statement: BankStatement.ID?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            state: BankLine.State? = nil, statement: BankStatement.ID? = nil, limit: PageLimit? = nil,
            cursor: Cursor? = nil
        ) {
            self.state = state
            self.statement = statement
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<BankLine>
}

/// Shows one line.
package enum GetBankLine: Endpoint {
    package static let operation = Operation(
        .get, "/v1/bank-lines/{line}", "Shows a bank line, with proposals while it is open.",
        access: .roles(.operator, .auditor), problems: [.notFound])

    package typealias Path = BankLinePath
    package typealias Response = BankLine
}

/// Books a line, once: as the payment of one contribution, of several with their amounts, or as money paid back from an
/// organization's credit. Payments have its day and its reference. Where a line that may be the same is booked, it asks for the word that
/// this is another (409 `bank-line-alike`).
package enum BookBankLine: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-lines/{line}/bookings", "Books a bank line as what a person says it is.", success: .created,
        access: .roles(.operator),
        problems: [
            .notFound, .transitionNotAllowed, .bankLineAlike, .contributionOverpaid, .contributionCancelled,
            .creditExceeded,
        ])

    package typealias Path = BankLinePath

    /// One of the first three.
    package struct Body: Codable, Sendable, BoundedFields {
        package struct Part: Codable, Hashable, Sendable {
            package var contribution: Contribution.ID
            /// Below zero of a line that is.
            package var amount: Money

            package init(contribution: Contribution.ID, amount: Money) {
                self.contribution = contribution
                self.amount = amount
            }
        }

        /// What the whole line pays.
        package var contribution: Contribution.ID?
        /// 1 to 50 that the line pays; their sum is its amount.
        package var contributions: [Part]?
        /// The organization from whose credit the whole line was paid back.
        package var refund: Organization.ID?
        /// `transfer` unless said; not `credit`.
        package var means: Payment.Means?
        /// That it is other money than the lines `alike` that are booked.
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

/// Remembers that a line is nothing that is booked here.
package enum DismissBankLine: Endpoint {
    package static let operation = Operation(
        .post, "/v1/bank-lines/{line}/dismissal", "Remembers that a bank line is nothing that is booked here.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = BankLinePath

    package struct Body: Codable, Sendable {
        package var reason: Line

        package init(reason: Line) {
            self.reason = reason
        }
    }

    package typealias Response = BankLine
}

/// Takes a dismissal back: the line is open again.
package enum ReopenBankLine: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/bank-lines/{line}/dismissal", "Opens a bank line again that was dismissed.",
        access: .roles(.operator), problems: [.notFound, .transitionNotAllowed])

    package typealias Path = BankLinePath
    package typealias Response = BankLine
}

/// `/v1/bank-lines/{line}`
package struct BankLinePath: Codable, Sendable {
    package var line: BankLine.ID

    package init(line: BankLine.ID) {
        self.line = line
    }
}

extension ProblemType {
    package static let bankLineAlike = ProblemType(
        "bank-line-alike", "A line that may be the same money is booked: say that it is another, or dismiss it",
        .conflict)
}
