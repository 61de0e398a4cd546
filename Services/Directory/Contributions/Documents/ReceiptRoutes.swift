import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/receipts`, `/v1/contributions/{contribution}/receipt`, the same by the link of a letter, and the letters.
struct ReceiptRoutes: Sendable {
    private static let purpose = "receipt"
    /// How long the link in the letter shows the receipt; representatives can always see it.
    private static let linkDays = 400

    let backend: Backend
    let letters: LetterClient
    let pages: PageRenderer
    let documents: ContributionDocuments

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.read(ShowReceipt.self, show)
        builder.routes.read(GetReceiptDocument.self, getDocument)
        builder.routes.read(ListReceipts.self, list)
        builder.routes.read(ShowReceiptByLink.self, showByLink)
        builder.routes.read(GetReceiptDocumentByLink.self, getDocumentByLink)
        builder.job(ReceiptIssuer.letter, concurrency: 2) { receipt, _ in try await write(receipt) }
    }

    @Sendable func show(_ call: Call<ShowReceipt>) async throws -> RouteResponse<TextDocument> {
        .text(page(try await find(of: call.path, for: call.principal), pdf: "receipt.pdf"))
    }

    @Sendable func getDocument(_ call: Call<GetReceiptDocument>) async throws -> RouteResponse<FileDocument> {
        try await file(try await find(of: call.path, for: call.principal))
    }

    @Sendable func list(_ call: Call<ListReceipts>) async throws -> RouteResponse<Page<Receipt>> {
        try .page(
            try await ReceiptStore.list(call.query, call.page, for: call.principal, on: backend.database),
            call.page, key: "year", "number")
    }

    @Sendable func showByLink(_ call: Call<ShowReceiptByLink>) async throws -> RouteResponse<TextDocument> {
        .text(page(try await find(by: call.path), pdf: "\(call.path)/receipt.pdf"))
    }

    @Sendable func getDocumentByLink(
        _ call: Call<GetReceiptDocumentByLink>
    ) async throws -> RouteResponse<FileDocument> {
        try await file(try await find(by: call.path))
    }

    private func find(of contribution: Contribution.ID, for principal: Principal) async throws -> ReceiptStore.Shown {
        let receipt = try await ReceiptStore.get(of: contribution, for: principal, on: backend.database)
        guard let receipt else { throw Problem(.notFound) }
        return receipt
    }

    private func find(by token: String) async throws -> ReceiptStore.Shown {
        let link = try AddressedLink<Receipt>(token, purpose: Self.purpose, by: backend.links)
        let receipt = try await ReceiptStore.get(link.subject, on: backend.database)
        guard let receipt else { throw Problem(.notFound) }
        try link.check(try await ContributionStore.addresses(of: receipt.contribution, on: backend.database))
        return receipt
    }

    private func file(_ receipt: ReceiptStore.Shown) async throws -> RouteResponse<FileDocument> {
        .file(try await documents.pdf(of: receipt), headers: .attachment("recu-\(receipt.title).pdf"))
    }

    private func write(_ id: Receipt.ID) async throws {
        guard let receipt = try await ReceiptStore.get(id, on: backend.database),
            let recipient = try await ReceiptStore.recipient(of: id, on: backend.database)
        else { return }
        let token = AddressedLink.token(
            purpose: Self.purpose, subject: id, at: recipient.email, days: Self.linkDays, by: backend.links)
        try await letters.send(
            .receipt, key: "receipt:\(id)", to: recipient, receipt.letter, link: "/v1/receipts/\(token)")
    }

    private func page(_ receipt: ReceiptStore.Shown, pdf: String) -> String {
        var content: [String: Any] = [
            "number": receipt.title, "amount": FrenchFormat.amount(Money(cents: receipt.amount)),
            "issuedOn": FrenchFormat.day(receipt.issuedOn), "paidOn": FrenchFormat.day(receipt.paidOn),
            "year": receipt.contributionYear,
            "contribution": "\(receipt.contributionYear)-\(receipt.contributionNumber)",
            "vatMention": backend.configuration.vatMention, "pdf": pdf,
        ]
        content.merge(receipt.addressee.content) { own, _ in own }
        if !receipt.means.isEmpty { content["means"] = FrenchFormat.list(receipt.means.map(FrenchFormat.means)) }
        content["notice"] = receipt.notice
        content["replaces"] = receipt.replaces
        return pages.html(.receipt, title: "Reçu n° \(receipt.title)", content)
    }
}

extension ReceiptStore.Shown {
    /// `2027-12`
    var title: String { "\(year)-\(number)" }

    /// The content of the letter.
    var letter: [String: Any] {
        var content: [String: Any] = [
            "amount": FrenchFormat.amount(Money(cents: amount)), "year": contributionYear, "number": title,
        ]
        content["replaces"] = replaces
        return content
    }

    /// What a reader must know about the time since.
    var notice: String? {
        if let replacedBy {
            return
                "Le règlement n’a pas abouti comme ce reçu l’atteste\u{A0}: il est annulé et remplacé par le reçu n°\u{A0}\(replacedBy)."
        }
        guard let returned else { return nil }
        let amount = FrenchFormat.amount(Money(cents: returned))
        return
            "Depuis l’établissement de ce reçu, \(amount) ont été repris ou remboursés\u{A0}: la cotisation n’est plus réglée en totalité."
    }
}
