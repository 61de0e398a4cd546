import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import ServiceKit

struct ExportCommand: AsyncParsableCommand {
    enum Records: String, CaseIterable, ExpressibleByArgument {
        case experts, organizations, people, ambassadors
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes records into a CSV file.",
        discussion: """
            What you may see, all of it. The file is one that `club import` takes. A cell that a \
            spreadsheet could take for a formula begins with an apostrophe, which an import takes away again.
            """)

    @Argument(help: "What to write: \(Records.allCases.map(\.rawValue).joined(separator: ", ")).")
    var records: Records

    @Argument(help: "The file; without one, standard output.")
    var file: String?

    @Flag(help: "Write semicolons and a byte order mark, for a French Excel.")
    var excel = false

    func run() async throws {
        let directory = try Connection().client(for: .directory, http: HTTPClient.shared)
        guard let file else {
            try await write(from: directory, to: .standardOutput)
            return
        }
        // Nobody ever finds half a table under the name that was asked for.
        let partial = file + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil),
            let handle = FileHandle(forWritingAtPath: partial)
        else { throw CommandFailure("\(partial) cannot be written") }
        do {
            try await write(from: directory, to: handle)
            try handle.close()
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
        guard rename(partial, file) == 0 else { throw CommandFailure("\(file) cannot be written") }
    }

    private func write(from directory: ServiceClient, to handle: FileHandle) async throws {
        let take = { (bytes: ByteBuffer) in try handle.write(contentsOf: Data(bytes.readableBytesView)) }
        do {
            switch records {
            case .experts: try await directory.download(ExportExperts.request(query: .init(excel: excel)), take)
            case .organizations:
                try await directory.download(ExportOrganizations.request(query: .init(excel: excel)), take)
            case .people: try await directory.download(ExportPeople.request(query: .init(excel: excel)), take)
            case .ambassadors: try await directory.download(ExportAmbassadors.request(query: .init(excel: excel)), take)
            }
        } catch {
            throw CommandFailure(calling: .directory, error)
        }
    }
}
