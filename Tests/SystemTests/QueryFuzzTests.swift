import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

/// Every query parameter of every operation, with values that no check may foresee: it may be refused, but never fails.
@Suite("odd parameters", .serialized)
struct QueryFuzzTests {
    private static let texts: [String] =
        [
            "", " ", "%", "%00", "&", "'", "\\", "*", "a:*", "!", "(", "a & b | !c", "<->", "\"", "..", "~", "0~~",
            "null",
        ]
        + [
            "0", "-1", "1.5", "1e9", "2147483647", "2147483648", "-2147483649", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", String(repeating: "9", count: 400), "NaN", "infinity",
        ]
        + [
            "0001-01-01", "9999-12-31", "0000-00-00", "10000-01-01", "2026-02-30", "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "infinity", "1", "9999",
        ]
        + ["0~\u{2121}~01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11", "1000~~01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"]
        + [
            "\u{2121}", "\u{FB01}", "\u{FDFA}", "\u{1E9B}\u{323}", "\u{130}", "ß", "\u{200B}", "\u{FEFF}", "\u{10FFFF}",
            "😀",
            "\u{3389}", "\u{2152}", "tel", "telecom",
        ].flatMap { text in
            [1, 86, 100, 200].map { String(repeating: text, count: $0) }
        }
        + [("a ", 100), ("tel ", 50), ("-", 200), ("a-", 100), ("a.b/", 50), ("a@b.fr ", 28)].map {
            String(repeating: $0.0, count: $0.1)
        } + signs
    /// After normalisation these are search operators: exclusions, quotation marks, alternatives.
    private static let signs: [String] = ["\u{2010}", "\u{2212}", "\u{FF0D}", "“", "«", "|\u{FE63}", "\"\u{2013}"]
        .flatMap { sign in [40, 64].map { String(repeating: sign, count: $0) + "a" } }

    @Test("none causes a server error, wherever it is given")
    func walk() async throws {
        try await TestClub.run { club in
            let directory = try club.client(.directory)
            for name in ["Télécom du Béarn", "Telephone et Fils", "Atelier fi ffi", "Radio s rad s kcal"] as [Line] {
                _ = try await directory.send(
                    CreateExpert.request(
                        body: .init(
                            subKind: .webAgency, name: name, postalCode: "64000", commune: "Pau", departement: "64",
                            consents: .init(publicDirectory: true))))
            }
            // As the job that runs every minute would index them.
            try await club.database.withClient { client in
                _ = try await client.execute(
                    """
                    insert into directory.expert_word (word, lexeme, published)
                    select word, word, true
                    from unnest(array['telecom', 'telephone', 'tel', 'atelier', 'radio', 'kcal', repeat('tel', 13)]) as word
                    on conflict do nothing
                    """)
            }
            for service in ServiceName.allCases {
                var (asked, turn) = (0, 0)
                var failed: [String] = []
                for operation in try await WalkedOperation.all(of: service, in: club)
                where !operation.parameters.isEmpty {
                    for parameter in operation.parameters {
                        let answers = try await ask(operation, parameter, from: turn, in: club)
                        turn += 1
                        asked += answers.count
                        failed += answers.compactMap { text, status in
                            guard status >= 500, status != 503 else { return nil }
                            return "\(operation.method) \(operation.path) \(parameter)=\(text): \(status)"
                        }
                    }
                }
                print("\(service): \(asked) odd parameters")
                #expect(failed.isEmpty, "\(failed.prefix(10))")
                #expect(club[service].isRunning)
            }
        }
    }

    /// `LONG_TESTS=1` gives every text to every parameter; a short run every third one, beginning with a different one
    /// each time.
    private static let step = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1" ? 1 : 3

    /// Eight at a time.
    private func ask(
        _ operation: WalkedOperation, _ parameter: String, from start: Int, in club: TestClub
    ) async throws -> [(text: String, status: Int)] {
        let all = Self.texts.filter { WalkedOperation.percent($0).utf8.count < 7500 }
        let texts = stride(from: start % Self.step, to: all.count, by: Self.step).map { all[$0] }
        return try await withThrowingTaskGroup(of: [(text: String, status: Int)].self) { group in
            for lane in 0..<8 {
                group.addTask {
                    var answers: [(text: String, status: Int)] = []
                    for text in stride(from: lane, to: texts.count, by: 8).map({ texts[$0] }) {
                        let query = "?\(parameter)=\(WalkedOperation.percent(text))"
                        answers.append((text, try await operation.send(to: club, query: query)))
                    }
                    return answers
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}
