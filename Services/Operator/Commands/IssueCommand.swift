import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// The issues of the Flash info, from the decision to send one to those who have not got it.
struct IssueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Shows, edits, checks, sends, corrects and cancels issues; shows who has not got one.",
        discussion: "An issue is named by its number or its identifier.",
        subcommands: [
            List.self, Show.self, Edit.self, Check.self, Test.self, Send.self, Pause.self, Correct.self, Resume.self,
            Cancel.self, Missed.self, Resend.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the issues, newest first.")

        func run() async throws {
            let issues = try await Connection().call(.content) { content in
                try await content.all(ListIssues.self) { ListIssues.request(query: .init(limit: 200, cursor: $0)) }
            }
            var table = TextTable("number", "state", "sent", "title", right: [0])
            for issue in issues {
                table.add("\(issue.number)", issue.state.rawValue, issue.sentAt?.text ?? "", issue.title.text)
            }
            print(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the state of an issue, and what became of its mails by edition and provider.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        func run() async throws {
            let texts = try await Connection().call(.content) { content in
                let issue = try await issue.issue(from: content)
                let figures = try await content.send(GetIssueFigures.request(path: issue.id))
                return [IssueSheet(issue).text, FiguresSheet(figures).text]
            }
            print(texts.filter { !$0.isEmpty }.joined(separator: "\n"))
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sends an issue, now or at a time.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Option(name: .customLong("at"), help: "At this time, as 2027-03-14T09:30:00Z.")
        var time: Timestamp?

        func run() async throws {
            try await issue.transition(.init(to: time == nil ? .sending : .scheduled, scheduledFor: time)) { issue in
                issue.state == .paused ? "is paused; continue it with `club issue resume \(issue.number)`" : nil
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pauses an issue that is being sent.",
            discussion: "Each connection to the mail server ends at most the message that it has begun.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        func run() async throws {
            try await issue.transition(.init(to: .paused))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Continues an issue that is paused.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        func run() async throws {
            // The same transition would send a draft.
            try await issue.transition(.init(to: .sending)) { issue in
                issue.state == .paused ? nil : "is not paused: it is \(issue.state.rawValue)"
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancels an issue for good.", discussion: "What has been sent remains sent.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        func run() async throws {
            try await issue.transition(.init(to: .cancelled))
        }
    }
}

extension IssueReference {
    /// Changes the state of an issue, and says what it is then.
    ///
    /// - Parameter refusal: why the command is not meant for an issue in this state.
    /// - Throws: ``CommandFailure``
    fileprivate func transition(
        _ body: TransitionIssue.Body, unless refusal: (Issue) -> String? = { _ in nil }
    ) async throws {
        let changed = try await Connection().call(.content) { content in
            let issue = try await issue(from: content)
            if let reason = refusal(issue) { throw CommandFailure("issue \(issue.number) \(reason)") }
            return try await content.send(TransitionIssue.request(path: issue.id, body: body))
        }
        print("issue \(changed.number) is \(IssueSheet(changed).state)")
    }
}
