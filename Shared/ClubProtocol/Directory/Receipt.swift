import HTTPTypes

/// The receipt of a contribution that is paid in full: numbered without gaps in each year, and never changed. If
/// money is returned and the contribution is paid in full again, a new receipt replaces it.
package struct Receipt: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Receipt>

    package var id: ID
    package var contribution: Contribution.ID
    package var organization: Organization.ID
    /// The organization's name when it was issued.
    package var name: Line
    package var year: Int
    /// Consecutive from 1 in each year, without gaps.
    package var number: Int
    package var issuedOn: Day
    /// The day of the payment that completed the contribution.
    package var paidOn: Day
    package var amount: Money
    /// The means of payment, as far as stated when the payments were booked.
    package var means: [Payment.Means]
    /// What has been returned since, while the contribution is not paid in full.
    package var returned: Money?
    /// The number of the receipt that replaces this one, `2027-12`; this one is then no longer valid.
    package var replacedBy: Line?
}

/// Lists receipts, latest first.
package enum ListReceipts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts", "Lists receipts, latest first.",
        access: .roles(.operator, .auditor, .service, .representative))

    package struct Filter: OptionalParameters {
        /// The year of issue.
        package var year: Int?
        package var organization: Organization.ID?

        package init() {}

        package init(year: Int? = nil, organization: Organization.ID? = nil) {
            self.year = year
            self.organization = organization
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Receipt>
}

/// Shows the latest receipt of a contribution, for printing; not found until it is paid in full.
package enum ShowReceipt: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/receipt", "Page: the receipt of a contribution.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .html)

    package typealias Path = Contribution.ID
    package typealias Response = TextDocument
}

/// The latest receipt of a contribution as a PDF: always the same bytes, until money is returned, which it then
/// states.
package enum GetReceiptDocument: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/receipt.pdf", "The receipt of a contribution as PDF.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .pdf)

    package typealias Path = Contribution.ID
    package typealias Response = FileDocument
}

/// A receipt as a PDF, through the link in its e-mail.
package enum GetReceiptDocumentByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts/{token}/receipt.pdf", "A receipt as PDF, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .pdf)

    package typealias Path = ShowReceiptByLink.Path
    package typealias Response = FileDocument
}

/// Shows a receipt, through the link in its e-mail.
package enum ShowReceiptByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts/{token}", "Page: a receipt, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}
