import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

extension IssueCommand {
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what is wrong with an issue before it is sent.",
            discussion: "Errors stop it, warnings do not. The exit code is 1 if there is an error.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        func run() async throws {
            let findings = try await Connection().call(.content) { content in
                try await content.send(CheckIssue.request(path: issue.id(from: content))).findings
            }
            print(Self.text(of: findings))
            if findings.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
        }

        static func text(of findings: [IssueFinding]) -> String {
            guard !findings.isEmpty else { return "nothing is wrong" }
            var table = TextTable("severity", "finding", "where", "what")
            for finding in findings {
                table.add(finding.severity.rawValue, finding.code.rawValue, finding.pointer, finding.detail)
            }
            return table.text
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends an issue as it is now to a few addresses.",
            discussion: "A draft, a scheduled or a paused one. Its links to leave do nothing.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Argument(help: "One to five addresses.")
        var emails: [EmailAddress]

        @Option(help: "The edition: ambassadors or experts.")
        var edition: Edition.Audience

        func validate() throws {
            guard (1...5).contains(emails.count) else { throw ValidationError("name one to five addresses") }
        }

        func run() async throws {
            let letters = try await Connection().call(.content) { content in
                try await content.send(
                    SendIssueTest.request(
                        path: issue.id(from: content), body: .init(emails: emails, edition: edition))
                ).letters
            }
            print("\(letters.count) on the way")
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a draft, or one of its items.",
            discussion: "Items are named by their place in the issue, as `club issue show` prints it.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Option(help: "Change this item, not the issue itself.")
        var item: Int?

        @Option(help: "The title of the issue, which is the subject of its mails, or of the item.")
        var title: Line?

        @Option(help: "The introduction of the issue.")
        var introduction: Prose?

        @Option(help: "The text of the item.")
        var text: Prose?

        @Option(help: "The link of the item.")
        var link: WebAddress?

        @Flag(help: "Remove the item.")
        var remove = false

        func validate() throws {
            let changesItem = text != nil || link != nil || remove
            if item == nil, changesItem { throw ValidationError("--text, --link and --remove need --item") }
            if item != nil, introduction != nil {
                throw ValidationError("--introduction is of the issue, not of an item")
            }
            if remove, title != nil || text != nil || link != nil {
                throw ValidationError("an item is either changed or removed")
            }
            if title == nil, introduction == nil, !changesItem { throw ValidationError("nothing to change") }
        }

        func run() async throws {
            let changed = try await Connection().call(.content) { content in
                let issue = try await issue.issue(from: content)
                guard let item else {
                    return try await content.send(
                        ChangeIssue.request(
                            path: issue.id, body: .init(title: title, introduction: introduction.map(Optional.some)),
                            ifMatch: issue.version))
                }
                let path = IssueItemPath(issue: issue.id, item: try issue.item(at: item).id)
                guard !remove else {
                    return try await content.send(RemoveIssueItem.request(path: path, ifMatch: issue.version))
                }
                return try await content.send(
                    ChangeIssueItem.request(
                        path: path, body: .init(title: title, text: text, link: link.map(Optional.some)),
                        ifMatch: issue.version))
            }
            print(IssueSheet(changed).text)
        }
    }

    struct Correct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Corrects an item of a paused issue.",
            discussion: "Who gets the issue from then on gets the corrected text.")

        @Argument(help: "The issue's number or identifier.")
        var issue: IssueReference

        @Option(help: "The item, by its place in the issue.")
        var item: Int

        @Option(help: "Its new title.")
        var title: Line?

        @Option(help: "Its new text.")
        var text: Prose?

        @Option(help: "Its new link.")
        var link: WebAddress?

        @Option(help: "Why, for the record.")
        var reason: Line

        func validate() throws {
            if title == nil, text == nil, link == nil { throw ValidationError("nothing to correct") }
        }

        func run() async throws {
            let correction = try await Connection().call(.content) { content in
                let issue = try await issue.issue(from: content)
                return try await content.send(
                    CorrectIssue.request(
                        path: issue.id,
                        body: .init(
                            item: try issue.item(at: item).id, title: title, text: text, link: link.map(Optional.some),
                            reason: reason)))
            }
            print("the issue has version \(correction.contentVersion) of its content")
        }
    }
}

extension Issue {
    /// The item at a place, counted from 1.
    ///
    /// - Throws: ``CommandFailure``
    fileprivate func item(at place: Int) throws -> IssueItem {
        guard items.indices.contains(place - 1) else {
            throw CommandFailure("issue \(number) has no item \(place), but \(items.count)")
        }
        return items[place - 1]
    }
}

extension Edition.Audience: ExpressibleByArgument {}

extension Line: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}

extension Prose: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}

extension WebAddress: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}

extension EmailAddress: ExpressibleByArgument {
    package init?(argument: String) { try? self.init(validating: argument) }
}
