import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

/// Minutes of faults: one issue after another is sent to a mail server that does everything wrong, while senders are
/// killed and paused, and the database and the mail server go down.
@Suite("mailing faults", .serialized)
struct MailingFaultTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["LONG_TESTS"] != nil
    /// How long things go wrong; then everything must end well.
    private static let duration = Duration.seconds(
        environment["FAULT_SECONDS"].flatMap { Int($0) } ?? (isLong ? 1_800 : 45))
    private static let readers = isLong ? 6_000 : 2_400
    private static let seed: UInt64 = 2026
    private static let connections = 4

    /// Some domains have a character of their own.
    private static let plan = MailFaultPlan(
        seed: seed,
        rates: [
            .busyGreeting: 0.02, .greylisting: 0.02, .localError: 0.01, .unknownRecipient: 0.01, .endOfSession: 0.005,
            .stallAtCommand: 0.0005, .dropBeforeText: 0.005, .dropInText: 0.002, .refusedText: 0.005,
            .stallAfterText: 0.0003, .dropAfterText: 0.002, .dropAfterAcceptance: 0.002,
        ],
        domains: [
            "domaine1.example": [.greylisting: 1],
            "domaine2.example": [.endOfSession: 0.1, .localError: 0.1],
            "domaine3.example": [.stallAtCommand: 0.003, .stallAfterText: 0.003],
            "domaine4.example": [.dropBeforeText: 0.05, .dropInText: 0.02],
            "domaine5.example": [.dropAfterText: 0.02, .dropAfterAcceptance: 0.02],
            "domaine6.example": [.unknownRecipient: 0.2, .refusedText: 0.1],
        ])

    @Test("minutes of faults: nobody is missing from the ledger, and nobody gets an issue twice")
    func minutes() async throws {
        try await TestCluster.private { cluster in
            try await FaultyMailServer.run(Self.plan) { server in
                let url = "smtp://127.0.0.1:\(server.port)?starttls=never&connections=\(Self.connections)"
                try await TestClub.run(
                    [.directory, .content], replicas: [.content, .content], on: cluster, settings: ["MAIL_URL": url]
                ) { club in
                    try await importReaders(into: club)
                    let mailings = try Mailings(of: club, to: Self.readers, seed: Self.seed)
                    let end = ContinuousClock.now + Self.duration
                    async let ledger = mailings.run(until: end)
                    let troubles = Troubles(
                        senders: club.processes(of: .content), cluster: cluster, server: server, seed: Self.seed)
                    let toll = try await troubles.run(until: end)
                    check(try await ledger, against: server.record, toll)
                }
            }
        }
    }

    private func importReaders(into club: TestClub) async throws {
        let header = "subKind,name,email,postalCode,commune,flashInfo\n"
        let rows = (0..<Self.readers).map {
            "webAgency,Agence \($0),agence.\($0)@domaine\($0 % 12).example,64000,Pau,true\n"
        }
        let report = try await club.client(.directory).upload(
            ImportExperts.request(query: .init(mode: .apply)), body: OneChunk(text: header + rows.joined()))
        try #require(report.applied, "\(report.errors.prefix(3))")
    }

    /// - Parameter ledger: the deliveries of each issue.
    private func check(
        _ ledger: [[Delivery]], against record: FaultyMailServer.Record, _ toll: Troubles.Toll
    ) {
        let deliveries = ledger.joined()
        let states = Dictionary(grouping: deliveries, by: \.state).mapValues(\.count)
        print(
            """
            mailing faults with seed \(Self.seed): \(ledger.count) issues to \(Self.readers) addresses
              \(toll)
              faults: \(record.faults.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))
              deliveries: \(states.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))
              accepted \(record.accepted.count) over \(record.connections) connections, \
            at most \(record.mostConnections) at once; faults that leave doubt: \(record.doubts)
            """)

        let ended: Set<Delivery.State> = [.sent, .failed, .uncertain, .suppressed, .cancelled]
        #expect(Set(states.keys).isSubset(of: ended), "seed \(Self.seed)")
        for issue in ledger {
            #expect(issue.count == Self.readers, "seed \(Self.seed)")
            #expect(Set(issue.map(\.email)).count == Self.readers, "seed \(Self.seed)")
        }
        // By Message-ID, which is the identifier of a delivery: one issue and one address.
        let accepted = Dictionary(grouping: record.accepted) {
            $0.id.split(separator: "@").first.map(String.init) ?? ""
        }
        let twice = accepted.values.filter { $0.count > 1 }
        #expect(twice.isEmpty, "seed \(Self.seed)")
        let addresses = Dictionary(uniqueKeysWithValues: deliveries.map { ($0.id.text, $0.email.text) })
        let strange = record.accepted.filter { message in
            addresses[message.id.split(separator: "@").first.map(String.init) ?? ""] != message.recipient
        }
        #expect(strange.isEmpty, "seed \(Self.seed)")
        let lost = deliveries.filter { $0.state == .sent && accepted[$0.id.text] == nil }
        #expect(lost.isEmpty, "seed \(Self.seed)")
        let denied = deliveries.filter { $0.state == .failed && accepted[$0.id.text] != nil }
        #expect(denied.isEmpty, "seed \(Self.seed)")
        let doubts = record.doubts + toll.interruptions * Self.connections
        #expect(states[.uncertain] ?? 0 <= doubts, "seed \(Self.seed)")
        // Without trouble, all this would show nothing.
        #expect(record.doubts > 0 && toll.kills > 0 && toll.pauses > 0 && toll.restarts > 0 && toll.outages > 0)
    }
}
