import ArgumentParser
import Testing

@testable import Operator

@Suite("tokens that the command line prints")
struct TokenCommandTests {
    @Test(
        "people and experts in the directory are named by identifier: an address would stay in the audit trail",
        arguments: [
            (["--role", "ambassador"], false), (["--role", "ambassador", "--person", "P"], true),
            (["--role", "representative", "--organization", "O"], false),
            (["--role", "representative", "--organization", "O", "--person", "P"], true),
            (["--role", "expert"], false), (["--role", "expert", "--organization", "O"], true),
            (["--role", "operator"], true), (["--role", "auditor", "--subject", "marie"], true),
        ])
    func identifier(_ arguments: [String], isTaken: Bool) {
        let command = try? TokenCommand.parse(arguments)
        #expect((command != nil) == isTaken)
    }

    @Test(
        "a subject that no service accepts is not signed",
        arguments: [
            ("Zoé Martin", true), ("", false), ("\u{200B}", false), ("marie\u{202E}", false), ("marie\n", false),
            (String(repeating: "m", count: 201), false),
        ])
    func subject(_ subject: String, isTaken: Bool) {
        #expect(((try? TokenCommand.parse(["--role", "operator", "--subject", subject])) != nil) == isTaken)
    }

    @Test("a time to live is a number and a unit, thirty days at most")
    func timeToLive() {
        #expect(TimeToLive(argument: "8h")?.seconds == 28_800)
        #expect(TimeToLive(argument: "30d")?.seconds == 2_592_000)
        for wrong in ["", "8", "h", "0h", "-1h", "31d", "8w", "99999999999999999999d"] {
            #expect(TimeToLive(argument: wrong) == nil, "\(wrong)")
        }
    }

    @Test("a token for a representative names the organization, and no token is for a service")
    func tokenRules() {
        #expect(throws: (any Error).self) { try TokenCommand.parse(["--role", "representative"]) }
        #expect(throws: (any Error).self) { try TokenCommand.parse(["--role", "service"]) }
        #expect(throws: (any Error).self) { try TokenCommand.parse(["--role", "king"]) }
        #expect(throws: Never.self) { try TokenCommand.parse(["--role", "auditor"]) }
    }
}
