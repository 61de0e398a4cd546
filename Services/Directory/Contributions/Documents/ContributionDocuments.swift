import ClubProtocol
import Documents
import NIOPosix
import Postgres
import ServiceKit

/// Calls and receipts as PDF. Each is written once, when first requested, and kept: a later copy is identical to the
/// one that a member has on paper, even if names, fonts or programs have changed. A cancelled call is a different document,
/// which asks for nothing; so is a receipt of money that has been returned since, which says so.
struct ContributionDocuments: Sendable {
    private static let club = "Le Club de l’économie numérique"

    private let database: PostgresClient
    private let issuer: [String]
    private let vatMention: String
    /// How members pay, as configured by the club's staff.
    private let paymentDetails: String?

    init(backend: Backend) {
        database = backend.database
        issuer = (backend.configuration.issuerDetails ?? "").split(whereSeparator: \.isNewline).map(String.init)
        vatMention = backend.configuration.vatMention
        paymentDetails = backend.configuration.paymentDetails
    }

    func pdf(of call: ContributionDocumentStore.Call) async throws -> [UInt8] {
        let kind: ContributionDocumentStore.Kind = call.cancelledOn == nil ? .call : .cancelledCall
        return try await kept(.init(kind: kind, contribution: call.contribution)) { document(of: call) }
    }

    func pdf(of receipt: ReceiptStore.Shown) async throws -> [UInt8] {
        let file = ContributionDocumentStore.File(
            kind: .receipt, contribution: receipt.contribution, receipt: receipt.id, notice: receipt.notice)
        return try await kept(file) { document(of: receipt) }
    }

    /// Two concurrent first requests may both write it; both get the one that is stored first.
    private func kept(
        _ file: ContributionDocumentStore.File, _ document: () -> Document
    ) async throws -> [UInt8] {
        if let pdf = try await ContributionDocumentStore.kept(file, on: database) { return pdf }
        let written = document()
        let pdf = try await NIOThreadPool.singleton.runIfActive { try PDFWriter.write(written) }
        try await database.transaction { transaction in
            try await ContributionDocumentStore.keep(pdf, as: file, in: transaction)
        }
        return try await ContributionDocumentStore.kept(file, on: database) ?? pdf
    }

    // MARK: Content

    func document(of call: ContributionDocumentStore.Call) -> Document {
        if let day = call.cancelledOn { return document(of: call, cancelledOn: day) }
        let number = "\(call.year)-\(call.number)"
        var rows: [Document.Row] = []
        if let siren = call.addressee.siren { rows.append(.init("SIREN", siren)) }
        rows += [
            .init("Cotisation", "n°\u{A0}\(number)"), .init("Appelée le", FrenchFormat.day(call.calledOn)),
            .init("À régler au plus tard le", FrenchFormat.day(call.dueOn)),
        ]
        if call.carriedOver > 0 {
            rows += [
                .init("Montant de la cotisation", FrenchFormat.amount(Money(cents: call.amount))),
                .init("Avoir déduit", FrenchFormat.amount(Money(cents: -call.carriedOver))),
            ]
        }
        rows.append(.init("Montant à régler", FrenchFormat.amount(Money(cents: call.rest)), isStrong: true))
        var blocks: [Document.Block] = [
            .heading("\(call.title) n°\u{A0}\(number)"),
            .paragraph("Madame, Monsieur,"),
            .paragraph(
                "Voici l’appel de la cotisation\(call.isComplement ? " complémentaire" : "") de votre organisation au Club pour l’année \(call.year)."
            ),
            .table(rows),
        ]
        if call.rest == 0 {
            blocks.append(.paragraph("Votre avoir couvre la cotisation\u{A0}: il n’y a rien à régler."))
        } else {
            if let paymentDetails { blocks.append(.paragraph(paymentDetails)) }
            blocks.append(
                .paragraph(
                    "Merci d’indiquer \(number) comme référence de votre virement. Un reçu vous sera envoyé dès que tout est réglé."
                ))
        }
        return Document(
            title: "\(call.title) n° \(number)", author: Self.club, date: "\(call.calledOn)T00:00:00Z",
            sender: issuer, recipient: [call.addressee.name] + call.addressee.addressLines,
            blocks: blocks, legalNotice: vatMention)
    }

    /// Whatever was paid of it has been returned, and credit has gone back to the balance.
    private func document(of call: ContributionDocumentStore.Call, cancelledOn day: Day) -> Document {
        let number = "\(call.year)-\(call.number)"
        var rows: [Document.Row] = []
        if let siren = call.addressee.siren { rows.append(.init("SIREN", siren)) }
        rows += [
            .init("Cotisation", "n°\u{A0}\(number)"), .init("Appelée le", FrenchFormat.day(call.calledOn)),
            .init("Annulée le", FrenchFormat.day(day), isStrong: true),
            .init("Montant annulé", FrenchFormat.amount(Money(cents: call.amount))),
        ]
        return Document(
            title: "\(call.title) n° \(number), annulé", author: Self.club, date: "\(day)T00:00:00Z", sender: issuer,
            recipient: [call.addressee.name] + call.addressee.addressLines,
            blocks: [
                .heading("\(call.title) n°\u{A0}\(number), annulé"),
                .paragraph("Madame, Monsieur,"),
                .paragraph("Cet appel a été annulé le \(FrenchFormat.day(day))\u{A0}: il n’y a rien à régler."),
                .table(rows),
            ],
            legalNotice: vatMention)
    }

    private func document(of receipt: ReceiptStore.Shown) -> Document {
        var rows: [Document.Row] = []
        if let siren = receipt.addressee.siren { rows.append(.init("SIREN", siren)) }
        if let siret = receipt.addressee.siret { rows.append(.init("SIRET", siret)) }
        rows += [
            .init("Cotisation", "n°\u{A0}\(receipt.contributionYear)-\(receipt.contributionNumber)"),
            .init("Réglée le", FrenchFormat.day(receipt.paidOn)),
            .init("Reçu établi le", FrenchFormat.day(receipt.issuedOn)),
        ]
        if !receipt.means.isEmpty {
            rows.append(.init("Moyen de paiement", FrenchFormat.list(receipt.means.map(FrenchFormat.means))))
        }
        rows.append(.init("Montant reçu", FrenchFormat.amount(Money(cents: receipt.amount)), isStrong: true))
        var blocks: [Document.Block] = [.heading("Reçu n°\u{A0}\(receipt.title)")]
        if let replaces = receipt.replaces {
            blocks.append(.paragraph("Ce reçu annule et remplace le reçu n°\u{A0}\(replaces)."))
        }
        blocks += receipt.notice.map { [.notice($0)] } ?? []
        let attests = receipt.notice == nil ? "certifie" : "certifiait, le \(FrenchFormat.day(receipt.issuedOn)),"
        blocks += [
            .paragraph(
                "\(Self.club) \(attests) avoir reçu de l’organisation ci-dessous sa cotisation de l’année \(receipt.contributionYear), réglée en totalité."
            ),
            .table([.init("Organisation", receipt.addressee.name)] + rows),
        ]
        return Document(
            title: "Reçu n° \(receipt.title)", author: Self.club, date: "\(receipt.issuedOn)T00:00:00Z", sender: issuer,
            recipient: [receipt.addressee.name] + receipt.addressee.addressLines,
            blocks: blocks, legalNotice: vatMention)
    }
}
