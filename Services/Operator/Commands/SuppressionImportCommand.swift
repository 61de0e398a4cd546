import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import CommandKit
import ServiceKit

extension ImportCommand {
    struct Suppressions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "suppressions", abstract: "Imports the addresses that another tool must not mail.",
            discussion: """
                A list exported from Mailchimp, Brevo, listmonk or Mautic, or a plain list of addresses. Only reports, \
                unless --apply is given. Bad rows are listed with their reasons, and the others imported. Importing a \
                file again changes nothing. Ends with exit code 1 when a row was bad.
                """)

        @Argument(help: "The file, in UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab.")
        var file: String

        @Flag(help: "Import them.")
        var apply = false

        @Option(help: "The reason of rows that have none: unsubscribed, bounced, complaint or manual.")
        var reason: Suppression.Reason = .unsubscribed

        func run() async throws {
            guard let table = try? OpenFile(reading: file) else { throw CommandFailure("\(file) cannot be read") }
            let content = try Connection().client(for: .content, http: HTTPClient.shared)
            let bar = ProgressBar(total: table.size)
            let report: SuppressionImportReport
            do {
                defer { bar.end() }
                // A pipe cannot be read twice.
                let isFile = table.rewind()
                report = try await content.upload(
                    ImportSuppressions.request(query: .init(mode: apply ? .apply : .dryRun, reason: reason)),
                    body: FileChunks(file: table, bar: bar), isRepeatable: isFile)
            } catch {
                throw CommandFailure(calling: .content, error)
            }
            print(Self.text(of: report))
            if report.rejected > 0 { throw ExitCode(1) }
        }

        static func text(of report: SuppressionImportReport) -> String {
            var lines = report.errors.map { error in
                "row \(error.row)\(error.column.map { ", \($0)" } ?? ""): \(error.detail)"
            }
            if report.rejected > report.errors.count {
                lines.append("… and \(report.rejected - report.errors.count) more rows")
            }
            if !report.unknownColumns.isEmpty {
                lines.append("columns left out: \(report.unknownColumns.joined(separator: ", "))")
            }
            var counts = TextTable("rows", "new", "updated", "known", "bad", right: [0, 1, 2, 3, 4])
            counts.add(
                "\(report.rows)", "\(report.created)", "\(report.updated)", "\(report.skipped)", "\(report.rejected)")
            lines.append(counts.text)
            if report.mode == .dryRun { lines.append("A dry run: nothing was changed. Import them with --apply.") }
            return lines.joined(separator: "\n")
        }
    }
}

extension Suppression.Reason: ExpressibleByArgument {}
