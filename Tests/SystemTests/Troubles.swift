import Foundation
import TestKit

/// Kills and pauses the senders of mails, and takes the database and the mail server from them, in an order that a seed
/// determines.
struct Troubles {
    enum Kind: CaseIterable {
        case kill, pause, restart, outage
    }

    /// What was done.
    struct Toll: CustomStringConvertible {
        var kills = 0
        var pauses = 0
        var restarts = 0
        var outages = 0
        /// How often a sender may have been unable to record what became of the mails on its connections.
        var interruptions = 0

        var description: String {
            "kill -9: \(kills), paused: \(pauses), database restarted: \(restarts), mail server down: \(outages)"
        }
    }

    /// Longer than the leases of jobs (15 s) and of mails (30 s).
    private static let pause = Duration.seconds(33)

    let senders: [ServiceProcess]
    let cluster: TestCluster
    let server: FaultyMailServer
    let seed: UInt64

    /// Makes trouble until `end`; then everything runs, and the mail server has no faults any more.
    func run(until end: ContinuousClock.Instant) async throws -> Toll {
        var generator = SeededGenerator(state: seed)
        var toll = Toll()
        var paused: (sender: ServiceProcess, until: ContinuousClock.Instant)?
        // The first pause begins at once: it takes longer than anything else.
        var next: [Kind] = [.pause]
        while ContinuousClock.now < end {
            if let over = paused, ContinuousClock.now > over.until {
                over.sender.signal(SIGCONT)
                paused = nil
            }
            if next.isEmpty {
                next = [.kill, .kill, .kill, .pause, .restart, .restart, .outage, .outage].shuffled(using: &generator)
            }
            let kind = next.removeLast()
            let sender = senders[Int.random(in: 0..<senders.count, using: &generator)]
            switch kind {
            case .kill:
                sender.signal(SIGKILL)
                await sender.waitForExit()
                toll.kills += 1
                toll.interruptions += 1
            case .pause where paused == nil:
                sender.signal(SIGSTOP)
                paused = (sender, .now + Self.pause)
                toll.pauses += 1
                toll.interruptions += 1
            case .pause: break
            case .restart:
                try cluster.stop(.immediate)
                try cluster.start()
                toll.restarts += 1
                toll.interruptions += senders.count
            case .outage:
                try await server.goDown()
                try await Task.sleep(for: .milliseconds(Int.random(in: 500...4_000, using: &generator)))
                try await server.goUp()
                toll.outages += 1
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 500...4_000, using: &generator)))
            try await startMissing()
        }
        if let paused {
            try await Task.sleep(until: paused.until, clock: .continuous)
            paused.sender.signal(SIGCONT)
        }
        server.calmDown()
        try await startMissing()
        for sender in senders { try await sender.waitForReadiness(200) }
        return toll
    }

    /// As a supervisor does: those that were killed, and those that found no database when they started.
    private func startMissing() async throws {
        for sender in senders where !sender.isRunning { try await sender.start(untilReady: false) }
    }
}
