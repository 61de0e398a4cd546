import ClubProtocol
import FoundationEssentials
import NIOCore
import NIOPosix
import ServiceKit
import Synchronization

/// A Maildir: each message is a file, written under `tmp/` and moved to `new/` when it is complete.
///
/// A file is named after its message, so that a message handed over twice is one file.
struct Maildir: MailTransport {
    let path: String
    let sender: EmailAddress
    let repeatsHarmlessly = true
    let connections = 2

    /// Creates the folders; throws ``MailURLInvalid`` when that fails.
    init(path: String, sender: EmailAddress) throws {
        self.path = path
        self.sender = sender
        do {
            for folder in ["tmp", "new", "cur"] {
                try OpenFile.makeFolder("\(path)/\(folder)")
            }
        } catch {
            throw MailURLInvalid(reason: "names a Maildir that cannot be created: \(error)")
        }
    }

    func connect() async throws -> any MailSession { Session(maildir: self) }

    /// Takes every message.
    private final class Session: MailSession {
        private let maildir: Maildir
        private let offered = Mutex<MailEnvelope?>(nil)
        private let written = Mutex<MailOutcome?>(nil)

        init(maildir: Maildir) {
            self.maildir = maildir
        }

        func offer(_ envelope: MailEnvelope) async { offered.withLock { $0 = envelope } }

        func answer(within limit: TimeAmount) async -> MailOffer? { .ready }

        func send(_ text: ByteBuffer, then next: MailEnvelope?) async {
            let outcome = await write(text)
            written.withLock { $0 = outcome }
            offered.withLock { $0 = next }
        }

        func outcome(within limit: TimeAmount) async -> MailOutcome? { written.withLock { $0 } }

        private func write(_ text: ByteBuffer) async -> MailOutcome {
            guard let envelope = offered.withLock({ $0 }) else { return .lost("no envelope was sent") }
            let maildir = maildir
            do {
                return .accepted(
                    try await NIOThreadPool.singleton.runIfActive { try maildir.write(text, of: envelope.id) })
            } catch {
                return .lost("the Maildir cannot be written: \(error)")
            }
        }

        func close() async {}
    }

    private func write(_ text: ByteBuffer, of id: MailMessage.ID) throws -> String {
        // The time in the message's identifier, so that the name is the same on every attempt.
        let milliseconds = id.text.removingScalars { $0 == "-" }.prefix(12)
        let name = "\((Int(milliseconds, radix: 16) ?? 0) / 1000).\(id).club"
        if FileManager.default.fileExists(atPath: "\(path)/new/\(name)") { return name }
        let draft = "\(path)/tmp/\(name)"
        let file = try OpenFile(writing: draft)
        try file.write(text.readableBytesView)
        try file.synchronize()
        try file.close()
        try OpenFile.move(draft, to: "\(path)/new/\(name)")
        return name
    }
}
