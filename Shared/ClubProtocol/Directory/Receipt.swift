import HTTPTypes

/// The receipt of a contribution that has been paid as a whole: numbered without a gap in each year, and never changed. When
/// money went back and all is paid again, another one replaces it.
package struct Receipt: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Receipt>

    package var id: ID
    package var contribution: Contribution.ID
    package var organization: Organization.ID
    /// What the organization was called when it was issued.
    package var name: Line
    package var year: Int
    /// Counts up from 1 in each year, without a gap.
    package var number: Int
    package var issuedOn: Day
    /// The day of the payment that completed the contribution.
    package var paidOn: Day
    package var amount: Money
    /// By what the contribution was paid, as far as it was said when the payments were booked.
    package var means: [Payment.Means]
    /// What has gone back since, while the contribution is not paid as a whole any more.
    package var returned: Money?
    /// The number of the one that replaces it, `2027-12`; this one attests nothing any more.
    package var replacedBy: Line?
}

/// Lists receipts, the latest first.
package enum ListReceipts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts", "Lists receipts, latest first.",
        access: .roles(.operator, .auditor, .service, .representative))

    package struct Query: Codable, Sendable, PagedQuery {
        /// In which they were issued.
        package var year: Int?
        package var organization: Organization.ID?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            year: Int? = nil, organization: Organization.ID? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.year = year
            self.organization = organization
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Receipt>
}

/// Shows the latest receipt of a contribution, ready to be printed; none before all is paid.
package enum ShowReceipt: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/receipt", "Page: the receipt of a contribution.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .html)

    package typealias Path = ContributionPath
    package typealias Response = TextDocument
}

/// The latest receipt of a contribution as PDF: the same bytes for good, until money goes back, which it says then.
package enum GetReceiptDocument: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/receipt.pdf", "The receipt of a contribution as PDF.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .pdf)

    package typealias Path = ContributionPath
    package typealias Response = FileDocument
}

/// A receipt as PDF, by the link of the mail that brought it.
package enum GetReceiptDocumentByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/receipts/{token}/receipt.pdf", "A receipt as PDF, by the link of a mail.", access: .anyone,
        problems: [.notFound], produces: .pdf)

    package typealias Path = ShowReceiptByLink.Path
    package typealias Response = FileDocument
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
