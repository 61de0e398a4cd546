import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// The lanes in which mail goes out, one for each mailbox provider.
struct MailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Shows the lanes of mail; pauses and resumes them.",
        subcommands: [Lanes.self, Lane.self], defaultSubcommand: Lanes.self)

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
