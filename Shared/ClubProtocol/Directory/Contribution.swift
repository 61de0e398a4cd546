import HTTPTypes

/// What an organization owes for a calendar year of membership, and what of it has been paid.
///
/// ```
///   due ──payment──▶ partlyPaid ──payment──▶ paid
///    │                   │                    ▲
///    └──its day is over──┴──▶ overdue ─payment┘      each, while nothing is paid ──▶ cancelled
/// ```
package struct Contribution: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Contribution>

    /// What follows from the amounts, from today, and from a cancellation.
    package enum State: String, Codable, CaseIterable, Sendable {
        case due, partlyPaid, paid, overdue, cancelled
    }

    package var id: ID
    package var organization: Organization.ID
    /// The membership that it was called for.
    package var membership: Membership.ID
    package var year: Int
    /// The contribution of the year beside which it was called, for another tier from a day of the year on.
    package var complements: Contribution.ID?
    /// Counts up from 1 in each year, without a gap.
    package var number: Int
    package var amount: Money
    package var paid: Money
    package var state: State
    package var calledOn: Day
    /// The last day for paying it.
    package var dueOn: Day
    /// From this day on it is not owed, and why.
    package var cancelledOn: Day?
    package var cancellationReason: Line?
    /// The number of its receipt as that shows it, `2027-12`, once all has been paid.
    package var receipt: Line?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Money that came in for a contribution, or, where negative, that went back.
package struct Payment: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Payment>

    /// By what the money came or went.
    package enum Means: String, Codable, CaseIterable, Sendable {
        case transfer, cheque, card, directDebit, cash, other
        /// From what the organization has to its credit; below zero, onto it.
        case credit
    }

    package var id: ID
    package var contribution: Contribution.ID
    /// As it came, or went.
    package var amount: Money
    /// The part of it that was beyond what was owed, or, where it went back, beyond what was paid: it is on the organization's
    /// credit, or was taken from it.
    package var credited: Money
    package var paidOn: Day
    /// Absent where nobody said it when the payment was booked.
    package var means: Means?
    /// Of the transfer, the number of the cheque: as bank and payer have it.
    package var reference: Line?
    package var createdAt: Timestamp
}

/// Calls the contributions of a year: one for each organization that is a member on one of its days and whose tier costs
/// something. Called again, it adds who has become a member since; nobody gets a second one. What an organization has to its credit
/// is used for it at once.
package enum CallContributions: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contribution-calls", "Calls the contributions of a year, one per member.",
        access: .roles(.operator))

    package struct Body: Codable, Sendable, BoundedFields {
        /// 2000 to 2999.
        package var year: Int
        /// Not before today; without it, thirty days from now.
        package var dueOn: Day?
        /// Answers what the call would come to, and calls nothing.
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

/// What a call came to.
package struct ContributionCall: Codable, Hashable, Sendable {
    package var year: Int
    /// Contributions that this call made, and their sum.
    package var called: Int
    package var amount: Money
    /// Contributions of the year, those of earlier calls and cancelled ones included.
    package var total: Int
    /// What of the sum is paid already, from what organizations had to their credit.
    package var carriedOver: Money

    package init(year: Int, called: Int, amount: Money, total: Int, carriedOver: Money = Money(cents: 0)) {
        self.year = year
        self.called = called
        self.amount = amount
        self.total = total
        self.carriedOver = carriedOver
    }
}

/// Lists contributions, the latest year first.
package enum ListContributions: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions", "Lists contributions, latest year first.",
        access: .roles(.operator, .auditor, .service, .representative))

    package struct Query: Codable, Sendable, PagedQuery {
        package var organization: Organization.ID?
        package var year: Int?
        package var state: Contribution.State?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            organization: Organization.ID? = nil, year: Int? = nil, state: Contribution.State? = nil,
            limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.organization = organization
            self.year = year
            self.state = state
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Contribution>
}

/// Shows one contribution.
package enum GetContribution: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}", "Shows a contribution.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = ContributionPath
    package typealias Response = Contribution
}

/// Cancels a contribution that should not have been called. It stays in the list with its number; its member can be called
/// anew. What was paid on it has to go back first; what was carried over to it does so by itself.
package enum CancelContribution: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contributions/{contribution}/cancellation",
        "Cancels a contribution that should not have been called.",
        access: .roles(.operator),
        problems: [.notFound, .contributionCancelled, .contributionPaid, .contributionComplemented])

    package typealias Path = ContributionPath

    package struct Body: Codable, Sendable {
        package var reason: Line

        package init(reason: Line) {
            self.reason = reason
        }
    }

    package typealias Response = Contribution
}

/// Books a payment, in part or whole. What is beyond what is owed goes onto the organization's credit. A negative amount is money
/// that went back: what was paid, and beyond that what payments of this contribution brought to the credit. By means of `credit`
/// it is taken from there, or moved there.
package enum CreatePayment: Endpoint {
    package static let operation = Operation(
        .post, "/v1/contributions/{contribution}/payments", "Books a payment for a contribution.", success: .created,
        access: .roles(.operator),
        problems: [.notFound, .contributionOverpaid, .contributionCancelled, .creditExceeded])

    package typealias Path = ContributionPath

    package struct Body: Codable, Sendable {
        package var amount: Money
        /// Not after today.
        package var paidOn: Day
        /// Callers that do not know of it may leave it out; then it stays unknown.
        package var means: Payment.Means?
        /// Of the transfer, the number of the cheque: as bank and payer have it.
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

/// Lists the payments of a contribution as they were booked.
package enum ListPayments: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/payments", "Lists the payments of a contribution.",
        access: .roles(.operator, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = ContributionPath

    package struct Query: Codable, Sendable, PagedQuery {
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(limit: PageLimit? = nil, cursor: Cursor? = nil) {
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Payment>
}

/// `/v1/contributions/{contribution}`
package struct ContributionPath: Codable, Sendable {
    package var contribution: Contribution.ID

    package init(contribution: Contribution.ID) {
        self.contribution = contribution
    }
}

extension ProblemType {
    package static let contributionOverpaid = ProblemType(
        "contribution-overpaid", "More would go back than was paid, or be taken from credit than is owed", .conflict)
    package static let contributionCancelled = ProblemType(
        "contribution-cancelled", "The contribution is cancelled", .conflict)
    package static let contributionComplemented = ProblemType(
        "contribution-complemented", "A complementary contribution stands beside it: cancel that first", .conflict)
    package static let contributionPaid = ProblemType(
        "contribution-paid", "Money is paid on the contribution that has not gone back", .conflict)
}
