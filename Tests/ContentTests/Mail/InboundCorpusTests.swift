import ClubProtocol
import Foundation
import Testing

@testable import Content

/// The corpus of real reports that is beside the project, in `shared/data/rebonds`: the tests of flufl.bounce (Apache
/// licence 2.0) and of Sisimai (BSD licence).
enum InboundCorpus {
    static let folder = (1...5).reduce(URL(filePath: #filePath)) { folder, _ in folder.deletingLastPathComponent() }
        .appending(path: "shared/data/rebonds").path
    static let isPresent = FileManager.default.fileExists(atPath: "\(folder)/expected.json")

    struct Message {
        var name: String
        var bytes: [UInt8]
        var expected: Expected
    }

    struct Expected {
        /// In lower case; empty where the corpus does not say.
        var recipients: [String] = []
        /// For each bounce the statuses that its sources give; they differ where one read the diagnostic.
        var statuses: [Set<String>] = []
        /// For each bounce, whether it is hard; nil where the corpus does not say.
        var hard: [Bool?] = []
        var reasons: [String] = []
        var isBounce: Bool { !hard.isEmpty && Set(reasons).isDisjoint(with: ["feedback", "vacation"]) }
    }

    private struct Entry: Decodable {
        struct Flufl: Decodable {
            var destinataires: [String]
            var temporaire: Bool
        }
        struct Sisimai: Decodable {
            var dsn: String
            var raison: String
            var hardbounce: Bool
        }
        struct Fields: Decodable {
            var final_recipient: String?
            var original_recipient: String?
            var status: String?
        }
        var attendu: [Flufl]?
        var attendu_sisimai: [Sisimai]?
        var dsn_lu: [Fields]?

        var expected: Expected {
            var expected = Expected()
            for flufl in attendu ?? [] {
                expected.recipients += flufl.destinataires.map(\.localizedLowercase)
                expected.hard += flufl.destinataires.map { _ in flufl.temporaire ? false : nil }
            }
            for (index, sisimai) in (attendu_sisimai ?? []).enumerated() {
                expected.hard.append(sisimai.hardbounce)
                expected.reasons.append(sisimai.raison)
                let fields = dsn_lu.flatMap { index < $0.count ? $0[index].status : nil } ?? ""
                // Sisimai's own statuses are of the form 5.0.9xx.
                let codes = [sisimai.dsn, fields].compactMap(EnhancedStatus.init).filter { $0.detail < 900 }
                expected.statuses.append(Set(codes.map(\.description)))
            }
            if attendu == nil {
                expected.recipients = (dsn_lu ?? []).compactMap { field in
                    let value = field.original_recipient ?? field.final_recipient ?? ""
                    return AddressScanner.first(in: Array(value.utf8))?.text.localizedLowercase
                }
            } else if let fields = dsn_lu, expected.statuses.isEmpty {
                expected.statuses = fields.map { Set([EnhancedStatus($0.status ?? "")?.description].compactMap { $0 }) }
            }
            return expected
        }
    }

    static func messages() throws -> [Message] {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/expected.json"))
        let entries = try JSONDecoder().decode([String: Entry].self, from: data)
        var messages: [Message] = []
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) where name != "_meta" {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            guard name.hasSuffix(".mbox") else {
                messages.append(Message(name: name, bytes: bytes, expected: entry.expected))
                continue
            }
            let expected = entry.attendu_sisimai ?? []
            for (index, message) in split(bytes).enumerated() {
                let one = Entry(attendu_sisimai: [expected[index]])
                messages.append(Message(name: "\(name)/\(index)", bytes: message, expected: one.expected))
            }
        }
        return messages
    }

    /// The messages of a file in the format mbox.
    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if line.starts(with: "From ".utf8) { messages.append([]) }
            if !messages.isEmpty { messages[messages.count - 1] += line + [0x0A] }
        }
        return messages
    }
}

extension InboundReport {
    var bounces: [Bounce] {
        switch kind {
        case .bounce(let bounces), .delayed(let bounces): bounces
        default: []
        }
    }

    var name: String { String("\(kind)".prefix { $0 != "(" }) }
}

@Suite(
    "the corpus of reports",
    .enabled(if: InboundCorpus.isPresent, "../shared/data is not on this machine"))
struct InboundCorpusTests {
    @Test("at least 95 % of the recipients and statuses that it gives are read")
    func recipientsAndStatuses() throws {
        let messages = try InboundCorpus.messages()
        #expect(messages.count >= 240)
        var (recipients, recipientsRead, statuses, statusesRead) = (0, 0, 0, 0)
        for message in messages where message.expected.isBounce {
            let report = InboundReader.read(message.bytes)
            let found = Set(report.bounces.compactMap { $0.recipient?.text.localizedLowercase })
            for recipient in message.expected.recipients {
                recipients += 1
                if found.contains(recipient) {
                    recipientsRead += 1
                } else {
                    print("recipient missed: \(message.name) \(recipient), found \(report.name) \(found.sorted())")
                }
            }
            for (index, expected) in message.expected.statuses.enumerated() where !expected.isEmpty {
                statuses += 1
                let status = index < report.bounces.count ? report.bounces[index].status?.description : nil
                if let status, expected.contains(status) {
                    statusesRead += 1
                } else {
                    print(
                        "status missed: \(message.name) \(expected.sorted()), found \(report.name) \(status ?? "none")")
                }
            }
        }
        print("corpus: \(recipientsRead) of \(recipients) recipients, \(statusesRead) of \(statuses) statuses")
        #expect(recipients >= 150 && statuses >= 130)
        #expect(Double(recipientsRead) >= 0.95 * Double(recipients))
        #expect(Double(statusesRead) >= 0.95 * Double(statuses))
    }

    @Test("at most 2 % of what it calls soft is hard, and what is, is known")
    func hardness() throws {
        var (soft, hard, hardRead) = (0, 0, 0)
        var wrong: [String] = []
        for message in try InboundCorpus.messages() {
            let bounces = InboundReader.read(message.bytes).bounces
            for (index, expected) in message.expected.hard.enumerated() {
                let isHard = index < bounces.count ? bounces[index].isHard : false
                switch expected {
                case false:
                    soft += 1
                    if isHard { wrong.append("\(message.name): \(bounces[index].diagnostic)") }
                case true:
                    hard += 1
                    hardRead += isHard ? 1 : 0
                    if !isHard {
                        let bounce = index < bounces.count ? bounces[index] : nil
                        print("soft: \(message.name) \(bounce.map { "\($0.replyClass) \($0.diagnostic)" } ?? "none")")
                    }
                default: break
                }
            }
        }
        for line in wrong { print("hard: \(line)") }
        // Both say that the mailbox does not exist; Sisimai knows that these hosts answer so to what they filter.
        #expect(
            wrong.map { $0.prefix { $0 != ":" } }
                == ["sisimai/lhost-postfix-03.eml", "sisimai/lhost-receivingses-01.eml"])
        print("corpus: \(wrong.count) of \(soft) soft bounces are hard, \(hardRead) of \(hard) hard ones")
        #expect(Double(wrong.count) <= 0.02 * Double(soft))
        #expect(Double(hardRead) >= 0.8 * Double(hard))
    }

    @Test("no absence, complaint or ordinary mail is a bounce")
    func others() throws {
        var count = 0
        for message in try InboundCorpus.messages() {
            let isOther =
                !message.expected.isBounce && !message.expected.reasons.isEmpty
                || ["not__", "qmail_08", "groupwise_03"].contains { message.name.contains($0) }
            guard isOther else { continue }
            count += 1
            let report = InboundReader.read(message.bytes)
            print("\(message.name): \(report.name)")
            #expect(report.bounces.isEmpty, "\(message.name) is \(report.kind)")
            if message.name.contains("arf-") { #expect(report.name == "complaint", "\(message.name)") }
            if message.name.contains("rfc3834") { #expect(report.name == "automatic", "\(message.name)") }
        }
        #expect(count >= 12)
    }

    @Test("cut, reordered, changed and backwards, each is read; doubled, it says the same")
    func fuzzed() throws {
        var generator = SystemRandomNumberGenerator()
        for message in try InboundCorpus.messages() where message.expected.isBounce {
            let bytes = message.bytes
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) + [0x0A] }
            let cut = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
            let reordered = lines.shuffled(using: &generator).flatMap(\.self)
            let changed = bytes.map { Int.random(in: 0..<100, using: &generator) == 0 ? UInt8.random(in: 0...255) : $0 }
            for variant in [cut, bytes + bytes, reordered, changed, Array(bytes.reversed())] {
                _ = InboundReader.read(variant)
            }
            let doubled = InboundReader.read(bytes + bytes)
            #expect(doubled.name == InboundReader.read(bytes).name, "\(message.name) doubled")
        }
    }
}
