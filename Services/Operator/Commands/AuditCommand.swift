import ArgumentParser
import ClubProtocol
import CommandKit
import FoundationEssentials
import ServiceKit

/// Prints the heads of the audit chains, to be kept where the services cannot reach them, and later verifies the chains
/// against them.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Keeps the ends of the audit chains, and verifies the chains against them.",
        discussion: """
            A chain that was cut off or rewritten together with its end looks intact by itself. To detect that, keep \
            the end elsewhere: club audit heads > heads.json, and later club audit verify --noted heads.json.
            """,
        subcommands: [HeadsCommand.self, VerifyCommand.self])
}

extension AuditCommand {
    struct HeadsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "heads", abstract: "Prints the end of each service's audit chain, to be kept elsewhere.")

        func run() async throws {
            let connection = Connection()
            var heads: [AuditHead] = []
            for service in ServiceName.allCases {
                heads.append(try await connection.call(service) { try await $0.send(GetAuditHead.request()) })
            }
            print(String(decoding: try WireJSON.encode(heads), as: UTF8.self))
        }
    }

    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Verifies the audit chain of each service.",
            discussion: "Ends with exit code 1 when one is broken.")

        @Option(help: "A file that `club audit heads` printed before.")
        var noted: String?

        func run() async throws {
            let heads = try notedHeads()
            let connection = Connection()
            var table = TextTable("service", "chain", "entries")
            var isWhole = true
            for service in ServiceName.allCases {
                let head = heads.first { $0.service == service }
                let found = try await connection.call(service) { client in
                    try await client.send(VerifyAudit.request(body: .init(seq: head?.seq, hash: head?.hash)))
                }
                isWhole = isWhole && found.intact
                let fault = found.fault.map { "\($0.rawValue) at \(found.brokenAt ?? 0)" } ?? "intact"
                table.add(service.rawValue, fault, found.head.map { "\($0.seq)" } ?? "")
            }
            print(table.text)
            guard isWhole else { throw ExitCode(1) }
        }

        private func notedHeads() throws -> [AuditHead] {
            guard let noted else { return [] }
            do {
                return try JSONDecoder().decode(
                    [AuditHead].self, from: Data(contentsOf: URL(fileURLWithPath: noted)))
            } catch {
                throw CommandFailure("\(noted) is not a file printed by `club audit heads`")
            }
        }
    }
}
