import ClubProtocol
import Logging
import Postgres
import ServiceKit

/// Writes what the connections of this process end and begin. What comes while a statement is on its way goes with the
/// next one: so a turn is one commit for all connections, however many there are.
actor MailLedger {
    private struct Entry {
        var ending: MailEnding?
        var beginning: MailBeginning?
        var continuation: CheckedContinuation<Bool, Never>
    }

    /// How long a turn is repeated while the database does not answer: longer than others wait for a sender that is
    /// lost, after which it would change nothing.
    private static let patience = Duration.seconds(3 * OutgoingMailStore.lifetime)

    /// Of a reply, how many characters are kept.
    private static let longestReply = 500

    private let store: OutgoingMailStore
    private let sender: MailDispatcher.ID
    private let logger: Logger
    private var waiting: [Entry] = []
    private var isWriting = false

    init(_ store: OutgoingMailStore, sender: MailDispatcher.ID, logger: Logger) {
        self.store = store
        self.sender = sender
        self.logger = logger
    }

    /// Records how a mail has ended, and that the text of another one is about to begin.
    ///
    /// - Returns: whether the text may begin.
    @discardableResult
    func turn(ending: MailEnding?, beginning: OutgoingMail? = nil) async -> Bool {
        guard ending != nil || beginning != nil else { return false }
        var ending = ending
        if let reply = ending?.reply { ending?.reply = String(reply.prefix(scalars: Self.longestReply)) }
        return await withCheckedContinuation { continuation in
            waiting.append(
                Entry(
                    ending: ending,
                    beginning: beginning.map {
                        .init(id: $0.id, attempt: $0.attempt, contentVersion: $0.contentVersion)
                    },
                    continuation: continuation))
            guard !isWriting else { return }
            isWriting = true
            Task { await write() }
        }
    }

    private func write() async {
        while !waiting.isEmpty {
            let entries = waiting
            waiting = []
            let begun = await begun(entries)
            for entry in entries {
                entry.continuation.resume(returning: entry.beginning.map { begun.contains($0.id) } ?? true)
            }
        }
        isWriting = false
    }

    private func begun(_ entries: [Entry]) async -> Set<MailMessage.ID> {
        let end = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            do {
                return try await store.turn(
                    entries.compactMap(\.ending), entries.compactMap(\.beginning), by: sender)
            } catch {
                logger.warning("a turn of mails cannot be written", metadata: ["reason": "\(error.loggable)"])
                guard .now < end else { return [] }
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
