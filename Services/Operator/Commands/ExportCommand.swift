import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import CommandKit
import FoundationEssentials
import NIOCore
import ServiceKit

struct ExportCommand: AsyncParsableCommand {
    enum Records: String, CaseIterable, ExpressibleByArgument {
        case experts, organizations, people, ambassadors
        case members, memberships, contributions, payments, credit, receipts
        /// The people, as vCards.
        case cards
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Exports records to a CSV file, or people as vCards.",
        discussion: """
            Everything that you may see. `club import` accepts the files of experts, organizations, people and \
            ambassadors, and the cards, unchanged. A value that a spreadsheet could take for a formula gets an \
            apostrophe before it, which an import removes again.
            """)

    @Argument(help: "What to export: \(Records.allCases.map(\.rawValue).joined(separator: ", ")).")
    var records: Records

    @Argument(help: "The file; without one, standard output.")
    var file: String?

    @Flag(help: "Write semicolons, decimal commas and a byte order mark, for a French Excel.")
    var excel = false

    @Option(help: "Which vCards: 4.0, or 3.0, which Outlook and older telephones take.")
    var cardVersion: CardVersion?

    func validate() throws {
        if records == .cards, excel { throw ValidationError("--excel is for tables, and not for cards") }
        if records != .cards, cardVersion != nil { throw ValidationError("--card-version is for cards") }
    }

    func run() async throws {
        let directory = try Connection().client(for: .directory, http: HTTPClient.shared)
        guard let file else {
            try await write(from: directory, to: .standardOutput)
            return
        }
        // Written under another name first, so that the requested file is never incomplete.
        let partial = file + ".partial"
        guard let output = try? OpenFile(writing: partial) else {
            throw CommandFailure("\(partial) cannot be written")
        }
        do {
            try await write(from: directory, to: output)
            try output.close()
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
        do { try OpenFile.move(partial, to: file) } catch {
            throw CommandFailure("\(file) cannot be written (\(error))")
        }
    }

    private func write(from directory: ServiceClient, to output: OpenFile) async throws {
        let take = { (bytes: ByteBuffer) in try output.write(bytes.readableBytesView) }
        do {
            switch records {
            case .experts:
                try await directory.download(ExportExperts.request(query: .init(excel: excel)), take)
            case .organizations:
                try await directory.download(ExportOrganizations.request(query: .init(excel: excel)), take)
            case .people: try await directory.download(ExportPeople.request(query: .init(excel: excel)), take)
            case .ambassadors:
                try await directory.download(ExportAmbassadors.request(query: .init(excel: excel)), take)
            case .cards: try await directory.download(ExportCards.request(query: .init(version: cardVersion)), take)
            case .members:
                try await directory.download(ExportMembers.request(query: .init(excel: excel)), take)
            case .memberships:
                try await directory.download(ExportMemberships.request(query: .init(excel: excel)), take)
            case .contributions:
                try await directory.download(ExportContributions.request(query: .init(excel: excel)), take)
            case .payments:
                try await directory.download(ExportPayments.request(query: .init(excel: excel)), take)
            case .credit:
                try await directory.download(ExportCreditEntries.request(query: .init(excel: excel)), take)
            case .receipts:
                try await directory.download(ExportReceipts.request(query: .init(excel: excel)), take)
            }
        } catch {
            throw CommandFailure(calling: .directory, error)
        }
    }
}

extension CardVersion: ExpressibleByArgument {}
