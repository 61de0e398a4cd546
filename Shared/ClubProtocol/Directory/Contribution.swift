import HTTPTypes

/// What an organization owes for a calendar year of membership, and how much of it is paid.
///
/// ```
///   due ──payment──▶ partlyPaid ──payment──▶ paid
///    │                   │                    ▲
///    └──its day is over──┴──▶ overdue ─payment┘      each, while nothing is paid ──▶ cancelled
/// ```
package struct Contribution: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Contribution>

    /// Determined by the amounts, today's date and any cancellation.
    package enum State: String, Codable, CaseIterable, Sendable {
        case due, partlyPaid, paid, overdue, cancelled
    }

    package var id: ID
    package var organization: Organization.ID
    /// The membership that the contribution is for.
    package var membership: Membership.ID
    package var year: Int
    /// For a complementary contribution, after a change of tier within the year: the contribution that it adds to.
    package var complements: Contribution.ID?
    /// Consecutive from 1 in each year, without gaps.
    package var number: Int
    package var amount: Money
    package var paid: Money
    package var state: State
    package var calledOn: Day
    /// The last day for payment.
    package var dueOn: Day
    /// The day from which it is no longer owed, and why.
    package var cancelledOn: Day?
    package var cancellationReason: Line?
    /// The number of its receipt as shown there, `2027-12`, once it is paid in full.
    package var receipt: Line?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Money received for a contribution or, if negative, returned.
package struct Payment: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Payment>

    /// The means of payment.
    package enum Means: String, Codable, CaseIterable, Sendable {
        case transfer, cheque, card, directDebit, cash, other
        /// From the organization's credit; if negative, to it.
        case credit
    }

    package var id: ID
    package var contribution: Contribution.ID
    /// As received, or as returned.
    package var amount: Money
    /// The part that exceeded what was owed, or, for a returned payment, what was paid: it was added to the
    /// organization's credit, or taken from it.
    package var credited: Money
    package var paidOn: Day
    /// Absent if not stated when the payment was booked.
    package var means: Means?
    /// The reference of the transfer or the number of the cheque, as known to bank and payer.
    package var reference: Line?
    package var createdAt: Timestamp
}

/// Calls the contributions of a year: one for each organization that is a member on any of its days and whose tier
/// has a fee. Called again, it adds only organizations that have become members since. An organization's credit is
/// applied at once.
package enum CallContributions: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contribution-calls", "Calls the contributions of a year, one per member.",
        access: .roles(.operator))

    package struct Body: Codable, Sendable, BoundedFields {
        /// 2000 to 2999.
        package var year: Int
        /// Not before today; by default thirty days from now.
        package var dueOn: Day?
        /// Returns the result that the call would have, without calling anything.
        package var dryRun: Bool?

        package static let bounds: KeyValuePairs<String, FieldBound> = ["year": .values(2000...2999)]

        package init(year: Int, dueOn: Day? = nil, dryRun: Bool? = nil) {
            self.year = year
            self.dueOn = dueOn
            self.dryRun = dryRun
        }
    }

    package typealias Response = ContributionCall
}

/// The result of a call.
package struct ContributionCall: Codable, Hashable, Sendable {
    package var year: Int
    /// The contributions created by this call, and their sum.
    package var called: Int
    package var amount: Money
    /// All contributions of the year, including earlier and cancelled ones.
    package var total: Int
    /// The part of the sum already paid from the organizations' credit.
    package var carriedOver: Money

    package init(year: Int, called: Int, amount: Money, total: Int, carriedOver: Money = Money(cents: 0)) {
        self.year = year
        self.called = called
        self.amount = amount
        self.total = total
        self.carriedOver = carriedOver
    }
}

/// Lists contributions, latest year first.
package enum ListContributions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions", "Lists contributions, latest year first.",
        access: .roles(.operator, .auditor, .service, .representative))

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        package var year: Int?
        package var state: Contribution.State?

        package init() {}

        package init(organization: Organization.ID? = nil, year: Int? = nil, state: Contribution.State? = nil) {
            self.organization = organization
            self.year = year
            self.state = state
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Contribution>
}

/// Shows one contribution.
package enum GetContribution: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}", "Shows a contribution.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Contribution.ID
    package typealias Response = Contribution
}

/// Cancels a contribution that should not have been called. It stays in the list with its number, and its member can
/// be called again. Payments must be returned first; amounts carried over to it are returned automatically.
package enum CancelContribution: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contributions/{contribution}/cancellation",
        "Cancels a contribution that should not have been called.",
        access: .roles(.operator),
        problems: [.notFound, .contributionCancelled, .contributionPaid, .contributionComplemented])

    package typealias Path = Contribution.ID

    package struct Body: Codable, Sendable {
        package var reason: Line

        package init(reason: Line) {
            self.reason = reason
        }
    }

    package typealias Response = Contribution
}

/// Books a payment, partial or in full. Any excess over what is owed is added to the organization's credit. A
/// negative amount is money returned: up to what was paid and, beyond that, what payments of this contribution added
/// to the credit. With `credit` as means, it is taken from the credit or moved to it.
package enum CreatePayment: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contributions/{contribution}/payments", "Books a payment for a contribution.", success: .created,
        access: .roles(.operator),
        problems: [.notFound, .contributionOverpaid, .contributionCancelled, .creditExceeded])

    package typealias Path = Contribution.ID

    package struct Body: Codable, Sendable {
        package var amount: Money
        /// Not after today.
        package var paidOn: Day
        /// Optional; if absent, the means stays unknown.
        package var means: Payment.Means?
        /// The reference of the transfer or the number of the cheque, as known to bank and payer.
        package var reference: Line?

        package init(amount: Money, paidOn: Day, means: Payment.Means? = nil, reference: Line? = nil) {
            self.amount = amount
            self.paidOn = paidOn
            self.means = means
            self.reference = reference
        }
    }

    package typealias Response = Payment
}

/// Lists the payments of a contribution in the order they were booked.
package enum ListPayments: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/payments", "Lists the payments of a contribution.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Contribution.ID
    package typealias Query = Paged<Empty>
    package typealias Response = Page<Payment>
}

extension ProblemType {
    package static let contributionOverpaid = ProblemType(
        "contribution-overpaid", "More than was paid is refunded, or more than is owed taken from credit", .conflict)
    package static let contributionCancelled = ProblemType(
        "contribution-cancelled", "The contribution is cancelled", .conflict)
    package static let contributionComplemented = ProblemType(
        "contribution-complemented", "It has a complementary contribution: cancel that first", .conflict)
    package static let contributionPaid = ProblemType(
        "contribution-paid", "The contribution has payments that were not refunded", .conflict)
}
