import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import CommandKit
import NIOCore
import ServiceKit
import Synchronization

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Imports records from a file.",
        discussion: """
            The first row names the columns, in French or in English, as `club export` names them. The column `id` of \
            an export identifies the record of a row. An empty cell changes nothing; a cell with - empties the field. A \
            yes to what a person declined is left out and listed, unless the columns consentDate and consentSource say \
            that it is newer. A file with a bad row is refused as a whole, unless --skip-bad-rows is given; every bad \
            row is listed with its reason. Ends with exit code 1 when a row was bad. People can also be imported from \
            vCards (*.vcf), as `club export cards` or an address book writes them: a card is a row.
            """,
        subcommands: [
            Experts.self, Organizations.self, People.self, Ambassadors.self, Suppressions.self,
        ])

    struct Experts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "experts", abstract: "Imports experts from a CSV file.")

        @OptionGroup var file: ImportedFile

        func run() async throws {
            try await file.take { id in
                ImportExperts.request(query: file.query(id))
            }
        }
    }

    struct Organizations: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "organizations", abstract: "Imports organizations from a CSV file.")

        @OptionGroup var file: ImportedFile

        @Option(help: "The kind of new organizations for which the file has none: institution, brand or provider.")
        var kind: Organization.Kind?

        func run() async throws {
            try await file.take { id in
                ImportOrganizations.request(query: .init(file.query(id), .init(kind: kind)))
            }
        }
    }

    struct People: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "people", abstract: "Imports people from a CSV file or from vCards.")

        @OptionGroup var file: ImportedFile

        @Flag(help: "The file contains vCards; assumed if its name ends with .vcf.")
        var cards = false

        func run() async throws {
            let isCards = cards || file.file.asciiLowercased.hasByteSuffix(".vcf")
            try await file.take(as: isCards ? .vcard : .csv) { id in
                ImportPeople.request(query: file.query(id))
            }
        }
    }

    struct Ambassadors: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ambassadors", abstract: "Imports ambassadors, with their people, from a CSV file.")

        @OptionGroup var file: ImportedFile

        func run() async throws {
            try await file.take { id in
                ImportAmbassadors.request(query: file.query(id))
            }
        }
    }
}

/// The file of an import, and the options for reading it.
struct ImportedFile: ParsableArguments {
    @Argument(help: "The file, in UTF-8, UTF-16 or Windows-1252; comma or semicolon.")
    var file: String

    @Flag(help: "Only report what would happen.")
    var dryRun = false

    @Flag(help: "Import the good rows and skip the bad ones.")
    var skipBadRows = false

    @Option(help: "What a row does to an existing record: update, fill (only empty fields) or skip.")
    var existing: Import.Existing = .update

    @Option(name: .customLong("import"), help: "Continue this import, which was interrupted or refused.")
    var earlier: String?

    func query(_ id: Import.ID) -> ImportQuery {
        ImportQuery(
            import: id, mode: dryRun ? .dryRun : .apply, rejects: skipBadRows ? .skipRow : .refuseFile,
            existing: existing)
    }

    /// Sends the file and prints the report.
    func take<E: Endpoint>(
        as media: ClubProtocol.Operation.Media = .csv, _ request: (Import.ID) -> Request<E>
    ) async throws where E.Response == ImportReport {
        let chosen = earlier.map { try? Import.ID(validating: $0) } ?? Import.ID()
        guard let id = chosen else { throw CommandFailure("--import takes the identifier of an import") }
        guard let table = try? OpenFile(reading: file) else { throw CommandFailure("\(file) cannot be read") }
        let directory = try Connection().client(for: .directory, http: HTTPClient.shared)
        let bar = ProgressBar(total: table.size)
        let report: ImportReport
        do {
            // A pipe cannot be read twice.
            let isFile = table.rewind()
            report = try await directory.upload(
                request(id), body: FileChunks(file: table, bar: bar), as: media, isRepeatable: isFile)
        } catch {
            bar.end()
            let reason = CommandFailure(calling: .directory, error)
            throw CommandFailure("\(reason); to continue with this file, pass --import \(id)")
        }
        bar.end()
        for error in report.errors {
            let place = error.column.map { "row \(error.row), \($0)" } ?? "row \(error.row)"
            print("\(place): \(error.detail)")
        }
        if report.rejected > report.errors.count {
            print("… and \(report.rejected - report.errors.count) more rows")
        }
        for note in report.notes ?? [] {
            let place = note.column.map { "row \(note.row), \($0)" } ?? "row \(note.row)"
            print("\(place): \(note.detail)")
        }
        if !report.unknownColumns.isEmpty {
            print(
                "\(media == .vcard ? "properties" : "columns") left out: \(report.unknownColumns.joined(separator: ", "))"
            )
        }
        var counts = TextTable("rows", "created", "updated", "as they were", "bad", right: [0, 1, 2, 3, 4])
        counts.add(
            "\(report.rows)", "\(report.created)", "\(report.updated)", "\(report.skipped)", "\(report.rejected)")
        print(counts.text)
        if dryRun {
            print("A dry run: nothing was changed.")
        } else if !report.applied {
            print("Nothing was changed: correct the rows above, or pass --skip-bad-rows.")
        }
        if report.rejected > 0 { throw ExitCode(1) }
    }
}

extension Organization.Kind: ExpressibleByArgument {}
extension Import.Existing: ExpressibleByArgument {}

/// A file in chunks, for upload.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: OpenFile
    let bar: ProgressBar

    /// Each iterator reads from the beginning.
    func makeAsyncIterator() -> Iterator {
        _ = file.rewind()
        bar.begin()
        return Iterator(file: file, bar: bar)
    }

    struct Iterator: AsyncIteratorProtocol {
        let file: OpenFile
        let bar: ProgressBar

        mutating func next() async throws -> ByteBuffer? {
            let data = try file.read(upTo: 64 << 10)
            guard !data.isEmpty else { return nil }
            bar.advance(by: data.count)
            return ByteBuffer(bytes: data)
        }
    }
}

/// Shows on standard error how much of a file has been sent, if that is a terminal.
final class ProgressBar: Sendable {
    private let total: Int
    private let isShown: Bool
    private let done = Mutex(0)

    init(total: Int) {
        self.total = total
        isShown = total > 0 && OpenFile.standardError.isTerminal
    }

    func begin() { done.withLock { $0 = 0 } }

    func advance(by bytes: Int) {
        let now = done.withLock { done in
            done += bytes
            return done
        }
        guard isShown else { return }
        let cells = min(30, now * 30 / total)
        let bar = String(repeating: "█", count: cells) + String(repeating: "·", count: 30 - cells)
        write("\r\(bar) \(min(100, now * 100 / total)) %")
    }

    func end() {
        if isShown { write("\n") }
    }

    private func write(_ text: String) {
        try? OpenFile.standardError.write(text.utf8)
    }
}
