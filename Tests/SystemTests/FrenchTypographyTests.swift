import Foundation
import TestKit
import Testing

/// French typography in what members read: no-break spaces before two-part punctuation and within guillemets, curly
/// apostrophes. Checked in the templates, and in the texts of the services' code.
@Suite("French typography")
struct FrenchTypographyTests {
    private static let services = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Services")

    private static func files(_ ending: String) throws -> [(name: String, text: String)] {
        let all = try #require(FileManager.default.enumerator(atPath: services.path)).compactMap { $0 as? String }
        return try all.filter { $0.hasSuffix(ending) }.sorted().map { name in
            (name, try String(contentsOf: services.appending(path: name), encoding: .utf8))
        }
    }

    /// Places where a line could wrongly break, and straight apostrophes.
    private static func faults(in text: String) throws -> [String] {
        let breaking = try Regex(#"[\p{L}\p{N})»}’] [:;!?»](?=[\s<{.,"]|$)|« "#)
        let apostrophe = try Regex(#"\p{L}'[\p{L}«{]"#)
        return text.split(separator: "\n").filter { $0.contains(breaking) || $0.contains(apostrophe) }.map(String.init)
    }

    @Test("templates")
    func templates() throws {
        let templates = try Self.files(".mustache")
        #expect(templates.count > 10)
        for (name, text) in templates { #expect(try Self.faults(in: text) == [], "\(name)") }
    }

    @Test("texts in code")
    func texts() throws {
        // Without interpolations, which are code.
        let interpolation = try Regex(#"\\\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"#)
        let literal = try Regex<(Substring, Substring)>(#""((?:[^"\\\n]|\\.)+)""#)
        // An accent, a guillemet, or an elision.
        let french = try Regex(#"[éèêàçùôîûœÉÀ«»’]|\b[CcDdJjLlNnSs]'\p{L}"#)
        let english = try Regex(" (?:of|the) ")
        var count = 0
        // What mail servers say is read, not written.
        let others = ["Operator/", "Content/Mail/Replies/", "Content/Mail/Reports/"]
        for (name, text) in try Self.files(".swift") where !others.contains(where: name.hasPrefix) {
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for match in String(line).replacing(interpolation, with: "X").matches(of: literal) {
                    let text = String(match.output.1)
                    guard text.contains(french), !text.contains(english) else { continue }
                    count += 1
                    #expect(try Self.faults(in: text) == [], "\(name)")
                }
            }
        }
        #expect(count > 100)
    }

    @Test(
        "errors are found",
        arguments: ["Merci !", "Est-ce exact ?", "l'équipe", "« ici »", "Rappel : vous", "été ; vous"])
    func negativeControl(text: String) throws {
        #expect(try !Self.faults(in: text).isEmpty)
    }
}
