import ArgumentParser
import ClubProtocol
import CommandKit
import NIOCore
import ServiceKit

extension IssueCommand {
    struct Missed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who has not got an issue, each with the reason.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Option(help: "Only those with this reason.")
        var reason: MissedDelivery.Reason?

        @Flag(help: "Write a CSV file in French to standard output.")
        var csv = false

        @Flag(help: "Write semicolons and a byte order mark, for a French Excel; with --csv.")
        var excel = false

        func validate() throws {
            if excel, !csv { throw ValidationError("--excel is for --csv") }
        }

        func run() async throws {
            let filter = ListMissed.Filter(reason: reason)
            try await Connection().call(.content) { content in
                let id = try await issue.id(from: content)
                guard !csv else {
                    let request = ExportMissed.request(path: id, query: .init(filter, excel: excel))
                    return try await content.download(request) { (bytes: ByteBuffer) in
                        try OpenFile.standardOutput.write(bytes.readableBytesView)
                    }
                }
                let missed = try await content.all(ListMissed.self) {
                    ListMissed.request(path: id, query: .init(filter, limit: 200, cursor: $0))
                }
                print(Self.table(of: missed).text)
            }
        }

        static func table(of missed: [MissedDelivery]) -> TextTable {
            var table = TextTable("reason", "address", "name", "edition", "attempts", "reply", right: [4])
            for one in missed {
                table.add(
                    one.reason.rawValue, one.email.text, one.name ?? "", one.audience.rawValue, "\(one.attempts)",
                    one.reply ?? "")
            }
            return table
        }
    }

    struct Resend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends an issue again to those who have not got it.",
            discussion: """
                What is uncertain may have arrived: it is sent again only if its reason is named, and only by an \
                operator. A suppressed address gets the issue only if it is no longer suppressed.
                """)

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Option(name: .customLong("reason"), parsing: .upToNextOption, help: "To those with one of these reasons.")
        var reasons: [MissedDelivery.Reason]

        @Flag(help: "Only count them.")
        var dryRun = false

        func validate() throws {
            if reasons.isEmpty { throw ValidationError("--reason needs at least one reason") }
        }

        func run() async throws {
            let answer = try await Connection().call(.content) { content in
                try await content.send(
                    ResendIssue.request(
                        path: issue.id(from: content), body: .init(reasons: reasons, dryRun: dryRun)))
            }
            print(Self.text(of: answer))
        }

        static func text(of answer: ResendIssue.Response) -> String {
            guard !answer.resent.isEmpty else { return "nobody gets it" }
            var table = TextTable("reason", answer.dryRun ? "would get it" : "get it", right: [1])
            for one in answer.resent { table.add(one.reason.rawValue, "\(one.count)") }
            return table.text
        }
    }
}

extension MissedDelivery.Reason: ExpressibleByArgument {}
