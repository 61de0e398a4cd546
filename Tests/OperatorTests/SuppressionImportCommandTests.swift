import ArgumentParser
import ClubProtocol
import Testing

@testable import Operator

@Suite("the command club import suppressions")
struct SuppressionImportCommandTests {
    @Test(
        "it takes a file, and is a dry run unless --apply is given",
        arguments: [
            (["suppressions", "list.csv"], true), (["suppressions", "list.csv", "--apply"], true),
            (["suppressions", "list.csv", "--reason", "bounced"], true), (["suppressions"], false),
            (["suppressions", "list.csv", "--reason", "because"], false),
        ])
    func arguments(_ arguments: [String], isTaken: Bool) throws {
        let command = try? ImportCommand.parseAsRoot(arguments) as? ImportCommand.Suppressions
        #expect((command != nil) == isTaken)
        #expect(command.map { $0.apply == arguments.contains("--apply") } ?? true)
    }

    @Test("the report names each bad row, the columns left out and what became of the others")
    func report() {
        var report = SuppressionImportReport(
            mode: .dryRun, rows: 9, created: 3, updated: 1, skipped: 2, rejected: 3,
            errors: [
                .init(row: 2, column: "E-mail", detail: "is missing"),
                .init(row: 5, column: nil, detail: "it opens a quote and does not close it"),
            ], unknownColumns: ["uuid", "name"])
        let lines = ImportCommand.Suppressions.text(of: report).split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(4) == [
                "row 2, E-mail: is missing", "row 5: it opens a quote and does not close it", "… and 1 more rows",
                "columns left out: uuid, name",
            ])
        #expect(lines.contains { $0.split(separator: " ") == ["9", "3", "1", "2", "3"] })
        #expect(lines.last == "A dry run: nothing was changed. Import them with --apply.")
        report.mode = .apply
        #expect(!ImportCommand.Suppressions.text(of: report).contains("dry run"))
    }
}
