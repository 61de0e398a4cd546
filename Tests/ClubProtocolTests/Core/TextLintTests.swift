import ClubProtocol
import Foundation
import Testing

/// Keeps text from anonymous callers away from Swift's own string operations, whose cost depends on the text
/// (`Decisions/0018-untrusted-text-is-compared-as-bytes.md`).
@Suite("text from outside is not processed as characters")
struct TextLintTests {
    /// Where text from outside is read and processed.
    private static let folders = [
        "Shared/ClubProtocol/Core", "Shared/ClubProtocol/Values", "Shared/ClubProtocol/JSON",
        "Shared/ClubProtocol/Builtin", "Shared/ClubProtocol/Directory",
        "Shared/ClubProtocol/Events", "Shared/ClubProtocol/Content", "Shared/ClubProtocol/Lobbying",
        "Shared/ServiceKit/HTTP", "Shared/ServiceKit/Identity", "Shared/ServiceKit/Client",
        "Shared/ServiceKit/System", "Shared/ServiceKit/Changes", "Shared/ServiceKit/Builtin",
        "Shared/ServiceKit/Tables",
        "Services/Directory/Imports",
        "Services/Directory/Tables", "Services/Directory/Contributions/Bank", "Services/Directory/SelfService",
        "Services/Directory/Enrolments", "Services/Directory/Referrals", "Services/Content/Letters",
        "Services/Content/Mail",
    ]

    /// Files whose text comes from an operator's own URL or a mail server.
    private static let exempt = [
        "MailTransports.swift", "SMTPSession.swift", "SMTPTransport.swift", "SMTPReply.swift",
    ]

    /// What must not be written, and what to write instead.
    private static let rules: [(pattern: String, instead: String)] = [
        (#"\.split\(separator: ""#, "split(atByte:)"), (#"\.hasPrefix\("#, "hasBytePrefix(_:)"),
        (#"\.hasSuffix\("#, "hasByteSuffix(_:)"), (#"\.lowercased\(\)"#, "asciiLowercased"),
        (#"\.uppercased\(\)"#, "asciiUppercased"), (#"\bCharacter\("#, "Unicode.Scalar or a byte"),
        (
            #"trimmingCharacters|components\(separatedBy|replacingOccurrences|range\(of:|firstRange\("#,
            "bytes or scalars"
        ),
        (#"\.replacing\("#, "bytes or scalars"), (#"\\\.isWhitespace"#, "isBlank"), (#"\\\.isNewline"#, "endsLine"),
        (#"\.isLetter\b|\.isNumber\b|\.isPunctuation\b"#, "bytes or scalars"),
        (#"(decomposed|precomposed)StringWith"#, "bytes"),
    ]

    @Test("an exception is justified on its line or the line above: `// text: a constant`")
    func sources() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let rules = try Self.rules.map { (try Regex($0.pattern), $0.instead) }
        var count = 0
        for folder in Self.folders {
            let files = FileManager.default.enumerator(
                at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
            while let file = files?.nextObject() as? URL {
                guard file.pathExtension == "swift", !Self.exempt.contains(file.lastPathComponent) else { continue }
                count += 1
                let source = try String(contentsOf: file, encoding: .utf8)
                for (place, instead) in Self.faults(in: source, rules) {
                    Issue.record("\(file.lastPathComponent):\(place) takes a text for characters: use \(instead)")
                }
            }
        }
        // Guards against an empty search.
        #expect(count > 80)
    }

    @Test("the rules find violations and ignore exceptions")
    func rules() throws {
        let rules = try Self.rules.map { (try Regex($0.pattern), $0.instead) }
        let source = """
            let a = text.lowercased()
            // text: a constant
            let b = "A".lowercased()
            let c = text.asciiLowercased  // .hasPrefix( in a remark
            let d = name.hasPrefix("x")  // text: a constant
            let e = text.split(separator: ",")
            """
        #expect(Self.faults(in: source, rules).map(\.line) == [1, 6])
    }

    private static func faults(
        in source: String, _ rules: [(Regex<AnyRegexOutput>, String)]
    ) -> [(line: Int, instead: String)] {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        var faults: [(line: Int, instead: String)] = []
        for (index, line) in lines.enumerated() {
            let above = index > 0 ? lines[index - 1].drop { $0 == " " } : ""
            let isAllowed = line.contains("// text: ") || above.hasPrefix("// text: ")
            guard !isAllowed else { continue }
            let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
            for (pattern, instead) in rules where code.contains(pattern) { faults.append((index + 1, instead)) }
        }
        return faults
    }
}
