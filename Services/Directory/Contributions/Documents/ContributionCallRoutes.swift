import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/contributions/{contribution}/call`, and the same by the link of a letter.
struct ContributionCallRoutes: Sendable {
    private static let purpose = "contribution-call"
    /// How long the link in a letter shows the call; representatives can always see it.
    private static let linkDays = 400

    let backend: Backend
    let pages: PageRenderer
    let documents: ContributionDocuments

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowContributionCall.self, show)
        builder.routes.read(GetContributionCallDocument.self, getDocument)
        builder.routes.read(ShowContributionCallByLink.self, showByLink)
        builder.routes.read(GetContributionCallDocumentByLink.self, getDocumentByLink)
    }

    @Sendable func show(_ call: Call<ShowContributionCall>) async throws -> RouteResponse<TextDocument> {
        .text(page(try await find(call.path, for: call.principal), pdf: "call.pdf"))
    }

    @Sendable func getDocument(_ call: Call<GetContributionCallDocument>) async throws -> RouteResponse<FileDocument> {
        try await file(try await find(call.path, for: call.principal))
    }

    @Sendable func showByLink(_ call: Call<ShowContributionCallByLink>) async throws -> RouteResponse<TextDocument> {
        .text(page(try await find(by: call.path), pdf: "\(call.path)/call.pdf"))
    }

    @Sendable func getDocumentByLink(
        _ call: Call<GetContributionCallDocumentByLink>
    ) async throws -> RouteResponse<FileDocument> {
        try await file(try await find(by: call.path))
    }

    /// The path of the page that a letter leads to.
    static func link(to contribution: Contribution.ID, at email: EmailAddress, by links: SignedLinks) -> String {
        let token = AddressedLink.token(
            purpose: purpose, subject: contribution, at: email, days: linkDays, by: links)
        return "/v1/contribution-calls/\(token)"
    }

    private func find(
        _ contribution: Contribution.ID, for principal: Principal
    ) async throws -> ContributionDocumentStore.Call {
        let call = try await ContributionDocumentStore.call(contribution, for: principal, on: backend.database)
        guard let call else { throw Problem(.notFound) }
        return call
    }

    private func find(by token: String) async throws -> ContributionDocumentStore.Call {
        let link = try AddressedLink<Contribution>(token, purpose: Self.purpose, by: backend.links)
        let call = try await ContributionDocumentStore.call(link.subject, on: backend.database)
        guard let call else { throw Problem(.notFound) }
        try link.check(try await ContributionStore.addresses(of: link.subject, on: backend.database))
        return call
    }

    private func file(_ call: ContributionDocumentStore.Call) async throws -> RouteResponse<FileDocument> {
        .file(
            try await documents.pdf(of: call),
            headers: .attachment("appel-de-cotisation-\(call.year)-\(call.number).pdf"))
    }

    private func page(_ call: ContributionDocumentStore.Call, pdf: String) -> String {
        let number = "\(call.year)-\(call.number)"
        var content: [String: Any] = [
            "isComplement": call.isComplement, "number": number, "year": call.year,
            "amount": FrenchFormat.amount(Money(cents: call.cancelledOn == nil ? call.rest : 0)),
            "isOwed": call.amount > call.paid && call.cancelledOn == nil,
            "calledOn": FrenchFormat.day(call.calledOn),
            "dueOn": FrenchFormat.day(call.dueOn), "vatMention": backend.configuration.vatMention, "pdf": pdf,
        ]
        content.merge(call.addressee.content) { own, _ in own }
        content["isCovered"] = call.rest == 0 && call.cancelledOn == nil
        if call.carriedOver > 0 {
            content["carriedOver"] = [
                "whole": FrenchFormat.amount(Money(cents: call.amount)),
                "deducted": FrenchFormat.amount(Money(cents: -call.carriedOver)),
            ]
        }
        if call.paid != call.carriedOver, call.cancelledOn == nil {
            content["balance"] = FrenchFormat.amount(Money(cents: call.amount - call.paid))
        }
        content["paymentDetails"] = backend.configuration.paymentDetails
        content["cancelledOn"] = call.cancelledOn.map { FrenchFormat.day($0) }
        return pages.html(.contributionCall, title: "\(call.title) n° \(number)", content)
    }
}

extension ContributionDocumentStore.Call {
    /// In cents, after what was carried over.
    var rest: Int { amount - carriedOver }

    /// The title printed on the call.
    var title: String { isComplement ? "Appel de cotisation complémentaire" : "Appel de cotisation" }
}
