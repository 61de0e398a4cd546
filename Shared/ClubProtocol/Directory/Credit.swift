import HTTPTypes

/// Money added to an organization's credit or, if negative, taken from it. Entries are never changed.
package struct CreditEntry: Codable, Hashable, Sendable {
    package typealias ID = Identifier<CreditEntry>

    /// Why the credit changed.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        /// More was paid than was owed; negative: returned with the payment.
        case overpayment
        /// Negative: applied to a contribution; positive: returned from one.
        case carriedOver
        /// Negative: refunded; positive: the refund came back, for example from a closed account.
        case paidBack
    }

    package var id: ID
    package var organization: Organization.ID
    package var amount: Money
    package var kind: Kind
    /// The payment that added or took it; absent for a refund.
    package var payment: Payment.ID?
    /// The contribution of that payment.
    package var contribution: Contribution.ID?
    package var day: Day
    /// Absent if not stated, and if carried over.
    package var means: Payment.Means?
    package var reference: Line?
    package var createdAt: Timestamp
}

/// An organization's credit with its entries, latest first.
package struct OrganizationCredit: Codable, Hashable, Sendable {
    package var organization: Organization.ID
    /// The sum of all entries; never negative.
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

/// Shows an organization's credit: what it overpaid, less what was carried over or refunded.
package enum GetCredit: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}/credit", "Shows an organization's credit, with its entries.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Organization.ID
    package typealias Query = Paged<Empty>
    package typealias Response = OrganizationCredit
}

/// Books a refund from an organization's credit; a negative amount is a refund that came back.
package enum RefundCredit: Endpoint {
    package static let operation = Operation(
        .post, "/v1/organizations/{organization}/credit-refunds",
        "Books a refund of an organization's credit.",
        success: .created, access: .roles(.operator), problems: [.notFound, .creditExceeded])

    package typealias Path = Organization.ID

    package struct Body: Codable, Sendable {
        package var amount: Money
        /// Not after today.
        package var paidOn: Day
        /// Not `credit`.
        package var means: Payment.Means?
        /// The reference of the transfer or the number of the cheque, as known to the bank.
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
        "credit-exceeded", "More than the organization's credit, or more than was refunded", .conflict)
}
