import ClubProtocol
import Postgres
import ServiceKit

/// Receipts: issued with the payment that completes a contribution, mailed once, shown as a page.
struct ReceiptRoutes: Sendable {
    static let letter = JobKind<Receipt.ID>("receipt.letter", maximumAttempts: 500)

    private static let purpose = "receipt"
    /// How long the link of the letter shows the receipt; representatives see it for good.
    private static let linkDays = 400

    let backend: Backend
    let post: Post
    let pages: PageRenderer

    func mount(on parts: inout ServiceParts) {
        let database = backend.database
        parts.routes.read(ShowReceipt.self) { call in
            let receipt = try await ReceiptStore.get(of: call.path.contribution, for: call.principal, on: database)
            guard let receipt else { throw Problem(.notFound) }
            return .text(page(receipt))
        }
        parts.routes.read(ListReceipts.self) { call in
            try .page(
                try await ReceiptStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "year", "number")
        }
        parts.routes.read(ShowReceiptByLink.self) { call in
            let subject = try backend.links.open(call.path.token, purpose: Self.purpose)
            guard let id = try? Receipt.ID(validating: subject),
                let receipt = try await ReceiptStore.get(id, on: database)
            else { throw Problem(.notFound) }
            return .text(page(receipt))
        }
        parts.job(Self.letter, concurrency: 2) { receipt, _ in try await write(receipt) }
    }

    /// Issues a receipt, with the job that mails it, if this contribution is paid now and has none.
    static func issue(
        for contribution: Contribution.ID, by principal: Principal, _ backend: Backend,
        in transaction: PostgresTransaction
    ) async throws {
        guard let receipt = try await ReceiptStore.issue(for: contribution, in: transaction) else { return }
        try await backend.journal.record(.created, "receipt", receipt, by: principal, in: transaction)
        try await backend.jobs.enqueue(letter, receipt, unique: receipt.text, in: transaction)
    }

    private func write(_ id: Receipt.ID) async throws {
        guard let receipt = try await ReceiptStore.get(id, on: backend.database),
            let reader = try await ReceiptStore.reader(of: id, on: backend.database)
        else { return }
        let token = backend.links.token(
            purpose: Self.purpose, subject: id.text, expires: .now.advanced(by: .seconds(Self.linkDays * 86_400)))
        try await post.send(
            SendLetter.Body(
                key: try Line(validating: "receipt:\(id)"), purpose: .receipt, email: reader.email, name: reader.name,
                reader: reader.subject, subject: "Reçu de votre cotisation",
                paragraphs: [
                    try Prose(
                        validating: "Nous avons bien reçu \(French.amount(Money(cents: receipt.amount))) pour votre "
                            + "cotisation \(receipt.contributionYear). Merci."),
                    try Prose(
                        validating: "Le reçu n° \(receipt.title) est à votre disposition ; vous pouvez l'imprimer."),
                ],
                action: .init(label: "Voir le reçu", url: try post.link("/v1/receipts/\(token)"))))
    }

    private func page(_ receipt: ReceiptStore.Shown) -> String {
        var content: [String: Any] = [
            "number": receipt.title, "organization": receipt.organization,
            "amount": French.amount(Money(cents: receipt.amount)), "issuedOn": French.day(receipt.issuedOn),
            "paidOn": French.day(receipt.paidOn), "year": receipt.contributionYear,
            "contribution": "\(receipt.contributionYear)-\(receipt.contributionNumber)",
        ]
        let place = [receipt.postalCode, receipt.commune].compactMap { $0 }.joined(separator: " ")
        if !place.isEmpty { content["place"] = place }
        content["siret"] = receipt.siret
        if !receipt.means.isEmpty { content["means"] = French.list(receipt.means.map(French.means)) }
        content["returned"] = receipt.returned.map { French.amount(Money(cents: $0)) }
        return pages.html(.receipt, title: "Reçu n° \(receipt.title)", content)
    }
}

extension ReceiptStore.Shown {
    /// `2027-12`
    fileprivate var title: String { "\(year)-\(number)" }
}
