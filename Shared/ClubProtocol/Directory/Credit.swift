import HTTPTypes

/// What came onto an organization's credit, or, where negative, went from it. Entries are never changed.
package struct CreditEntry: Codable, Hashable, Sendable {
    package typealias ID = Identifier<CreditEntry>

    /// Why.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// More was paid than was owed; negative: it went back with the payment.
        case overpayment
        /// Negative: used for a contribution; positive: taken off one again.
        case carriedOver
        /// Negative: paid back; positive: it came back, as a transfer to an account that is closed does.
        case paidBack
    }

    package var id: ID
    package var organization: Organization.ID
    package var amount: Money
    package var kind: Kind
    /// The payment that brought or took it; absent for money paid back.
    package var payment: Payment.ID?
    /// The contribution of that payment.
    package var contribution: Contribution.ID?
    package var day: Day
    /// Absent where nobody said it, and where it was carried over.
    package var means: Payment.Means?
    package var reference: Line?
    package var createdAt: Timestamp
}

/// What an organization has to its credit, with its entries, the latest first.
package struct OrganizationCredit: Codable, Hashable, Sendable {
    package var organization: Organization.ID
    /// The sum of all entries; never below zero.
    package var balance: Money
    package var items: [CreditEntry]
    package var next: Cursor?

    package init(organization: Organization.ID, balance: Money, items: [CreditEntry], next: Cursor?) {
        self.organization = organization
        self.balance = balance
        self.items = items
        self.next = next
    }
}

/// Shows what an organization has to its credit: what it paid beyond what it owed, and was neither carried over nor paid back.
package enum GetCredit: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}/credit", "Shows an organization's credit, with its entries.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = OrganizationPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = OrganizationCredit
}

/// Books money that was paid back from an organization's credit; a negative amount is such money that came back.
package enum RefundCredit: Endpoint {
    package static let operation = Operation(
        .post, "/v1/organizations/{organization}/credit-refunds",
        "Books money paid back from an organization's credit.",
        success: .created, access: .roles(.operator), problems: [.notFound, .creditExceeded])

    package typealias Path = OrganizationPath

    package struct Body: Codable, Sendable {
        package var amount: Money
        /// Not after today.
        package var paidOn: Day
        /// Not `credit`.
        package var means: Payment.Means?
        /// Of the transfer, the number of the cheque: as the bank has it.
        package var reference: Line?

        package init(amount: Money, paidOn: Day, means: Payment.Means? = nil, reference: Line? = nil) {
            self.amount = amount
            self.paidOn = paidOn
            self.means = means
            self.reference = reference
        }
    }

    package typealias Response = CreditEntry
}

extension ProblemType {
    package static let creditExceeded = ProblemType(
        "credit-exceeded", "More than the organization has to its credit, or more than was paid back", .conflict)
}
