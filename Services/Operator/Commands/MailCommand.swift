import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// What mail goes out by: the lanes, one for each mailbox provider, and what providers judge us by.
struct MailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Shows the lanes of mail, pauses and resumes them; checks what providers judge.",
        subcommands: [Lanes.self, Lane.self, Check.self], defaultSubcommand: Lanes.self)

    struct Lanes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the lanes that have been used.")

        func run() async throws {
            let lanes = try await Connection().call(.content) { content in
                try await content.all(ListMailLanes.self) {
                    ListMailLanes.request(query: .init(limit: 200, cursor: $0))
                }
            }
            print(Self.table(of: lanes).text)
        }

        static func table(of lanes: [MailLane]) -> TextTable {
            var table = TextTable(
                "lane", "state", "share", "connections", "in minute", "in day", "waits until", "reason",
                right: [2])
            for lane in lanes {
                table.add(
                    lane.code, lane.state.rawValue, "\(Int((lane.share * 100).rounded()))%",
                    "\(lane.connections) of \(lane.limits.connections)",
                    used(lane.inMinute, of: lane.limits.messagesPerMinute),
                    used(lane.inDay, of: lane.limits.messagesPerDay), lane.waitUntil?.text ?? "", lane.reason ?? "")
            }
            return table
        }

        private static func used(_ count: Int, of limit: Int?) -> String {
            limit.map { "\(count) of \($0)" } ?? "\(count)"
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks what providers judge a sender by: keys, SPF, DMARC, the return address.",
            discussion: "Ends with exit code 1 when something is wrong; without an answer of the DNS it is unknown.")

        func run() async throws {
            let checks = try await Connection().call(.content) { content in
                try await content.send(ListMailChecks.request()).checks
            }
            print(Self.table(of: checks).text)
            if checks.contains(where: { $0.result == .wrong }) { throw ExitCode(1) }
        }

        static func table(of checks: [MailCheck]) -> TextTable {
            var table = TextTable("check", "of", "result", "what was found")
            for check in checks { table.add(check.kind.rawValue, check.name, check.result.rawValue, check.detail) }
            return table
        }
    }

    struct Lane: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pauses or resumes a lane.", subcommands: [Pause.self, Resume.self])
    }
}

extension MailCommand.Lane {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops the mails of a lane; the others go on.",
            discussion: "Each connection to the mail server ends at most the message that it has begun.")

        @Argument(help: "The lane, as `club mail lanes` lists it.")
        var lane: String

        func run() async throws {
            try await MailCommand.Lane.transition(lane, to: .paused)
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Continues a paused lane, at its provider's full limits.")

        @Argument(help: "The lane, as `club mail lanes` lists it.")
        var lane: String

        func run() async throws {
            try await MailCommand.Lane.transition(lane, to: .open)
        }
    }

    private static func transition(_ lane: String, to state: MailLane.State) async throws {
        let changed = try await Connection().call(.content) { content in
            try await content.send(TransitionMailLane.request(path: lane, body: .init(to: state)))
        }
        print("lane \(changed.code) is \(changed.state.rawValue)")
    }
}
