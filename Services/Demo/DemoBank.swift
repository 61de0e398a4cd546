import AsyncAlgorithms
import ClubProtocol
import CommandKit
import NIOCore
import ServiceKit

/// The treasurer's work on a bank statement: two members have paid by transfer, one of them too much.
struct DemoBank: Sendable {
    private static let overpaid = 5_000

    let directory: ServiceClient

    /// Books each line as proposed, and shows what happened to the overpayment.
    func book() async throws -> Demo.Outcome {
        let year = Day.today.year
        let called: [Contribution] = try await directory.all(ListContributions.self) {
            ListContributions.request(query: .init(.init(year: year), limit: 200, cursor: $0))
        }
        let payers = called.filter { [2, 4].contains($0.number) }.sorted { $0.number < $1.number }
        guard let last = payers.last, payers.count == 2 else {
            throw CommandFailure("the demo's contributions are gone")
        }
        let statement = try await directory.upload(
            ImportBankStatement.request(
                query: .init(account: "FR7630006000011234567890189", name: "Relevé de la démonstration")),
            body: [ByteBuffer(string: try await table(of: payers))].async, isRepeatable: true)
        let open: [BankLine] = try await directory.all(ListBankLines.self) {
            ListBankLines.request(query: .init(.init(state: .open, statement: statement.id), limit: 200, cursor: $0))
        }
        for line in open {
            guard let proposal = line.proposals?.first, let part = proposal.contributions.first else {
                throw CommandFailure("nothing is proposed for the line \(line.reference)")
            }
            _ = try await directory.send(
                BookBankLine.request(
                    path: line.id, body: .init(contribution: part.contribution),
                    idempotencyKey: "demo-\(line.id)"))
        }
        let credit = try await directory.send(
            GetCredit.request(path: last.organization, query: .init(), body: Empty()))
        var bytes = 0
        try await directory.download(GetContributionCallDocument.request(path: last.id)) { piece in
            bytes += piece.readableBytes
        }
        let booked = open.isEmpty ? "booked before" : "\(open.count) booked as proposed"
        return
            "\(statement.lines) lines, \(booked); \(credit.balance.amount / 100) € too much are the member's credit; "
            + "its call as PDF has \(bytes / 1024) KB"
    }

    /// In a bank's export format; identical on every run, so that repeated lines are recognized.
    private func table(of payers: [Contribution]) async throws -> String {
        var table = "Date;Libellé;Débit;Crédit\n"
        for payer in payers {
            let name = try await directory.send(
                GetOrganization.request(path: payer.organization)
            ).name
            let cents = payer.amount.amount + (payer.number == payers.last?.number ? Self.overpaid : 0)
            table += "\(payer.calledOn);VIR SEPA RECU /DE \(name) /MOTIF COTISATION \(payer.year)-\(payer.number);;"
            table += "\(cents / 100),\(cents % 100 / 10)\(cents % 10)\n"
        }
        return table
    }
}
