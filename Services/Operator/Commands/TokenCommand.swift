import ArgumentParser
import ClubProtocol
import CommandKit
import FoundationEssentials
import ServiceKit

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Prints a token for a person.",
        discussion: """
            Signs with the operator's key (OPERATOR_KEY_FILE). The token is valid for all four services until it \
            expires, but never longer than MAX_TOKEN_LIFETIME_HOURS, a day unless set. The token of a representative, an \
            ambassador or an expert is valid only while the directory knows them. \
            curl -H "Authorization: Bearer $(club token --role operator)" …
            """)

    @Option(help: "operator, editor, lobbyist, representative, ambassador, expert or auditor.")
    var role: Role

    @Option(help: "The name in the audit trail.")
    var subject: String?

    @Option(help: "The organization that a representative acts for; an expert's own identifier.")
    var organization: String?

    @Option(help: "The person, for a representative, an ambassador or an expert.")
    var person: String?

    @Option(help: "How long it is valid: a number and s, m, h or d; at most 30d.")
    var ttl: TimeToLive = TimeToLive(seconds: 8 * 3600)

    func validate() throws {
        if role == .service { throw ValidationError("Services sign their own tokens.") }
        if let subject, !Principal.isName(subject) {
            throw ValidationError("--subject is 1 to 200 bytes on one line, without invisible characters.")
        }
        if role == .representative, organization == nil {
            throw ValidationError("A representative acts for an organization: --organization ID.")
        }
        // The audit trail records what they do under the identifier; a subject could be an e-mail address, which would
        // remain there.
        if role == .representative || role == .ambassador, person == nil {
            throw ValidationError("The role \(role.rawValue) needs a person: --person ID.")
        }
        if role == .expert, organization == nil {
            throw ValidationError("The role expert needs the expert's identifier: --organization ID.")
        }
    }

    func run() throws {
        let key = try Connection().operatorKey()
        print(
            try TokenSigner.personToken(
                key: key, subject: subject ?? "\(role.rawValue)@\(ProcessInfo.processInfo.hostName)", role: role,
                organization: try organization.map { try Self.identifier($0, "--organization") },
                person: try person.map { try Self.identifier($0, "--person") }, ttl: .seconds(ttl.seconds)))
    }

    private static func identifier<Entity>(_ text: String, _ option: String) throws -> Identifier<Entity> {
        do {
            return try Identifier(validating: text)
        } catch {
            throw ValidationError("\(option) \(error.reason).")
        }
    }
}

extension Role: ExpressibleByArgument {}

/// `90s`, `30m`, `8h`, `7d`.
struct TimeToLive: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = argument.last, let unit = units[last], let number = Int(argument.dropLast()), number > 0,
            number <= 30 * 86_400 / unit
        else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String { "\(seconds / 3600)h" }
}
