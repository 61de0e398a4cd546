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
}
