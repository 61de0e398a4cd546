import HTTPTypes

/// Shows the call for a contribution, for printing.
package enum ShowContributionCall: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/call", "Page: the call for a contribution.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .html)

    package typealias Path = Contribution.ID
    package typealias Response = TextDocument
}

/// Shows the call for a contribution, through the link in its letter.
package enum ShowContributionCallByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contribution-calls/{token}", "Page: the call for a contribution, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .html)

    package typealias Path = String
    package typealias Response = TextDocument
}

/// The call for a contribution as a PDF; always the same bytes once generated.
package enum GetContributionCallDocument: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contributions/{contribution}/call.pdf", "The call for a contribution as PDF.",
        access: .roles(.operator, .auditor, .representative), problems: [.notFound], produces: .pdf)

    package typealias Path = Contribution.ID
    package typealias Response = FileDocument
}

/// The call for a contribution as a PDF, through the link in its letter.
package enum GetContributionCallDocumentByLink: Endpoint {
    package static let operation = Operation(
        .get, "/v1/contribution-calls/{token}/call.pdf", "The call for a contribution as PDF, by the link of a mail.",
        access: .anyone, problems: [.notFound], produces: .pdf)

    package typealias Path = ShowContributionCallByLink.Path
    package typealias Response = FileDocument
}
