import ClubProtocol
import FoundationEssentials
import NIOPosix
import ServiceKit

/// A Maildir: each message is a file, written under `tmp/` and moved to `new/` when it is complete.
///
/// A file is named after its message, so that a message handed over twice is one file.
struct Maildir: MailTransport {
    let path: String
    let sender: EmailAddress
    let repeatsHarmlessly = true
    let sessions = 2

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

    func withSession<Result: Sendable>(
        _ body: (any MailSession) async throws -> Result
    ) async throws -> Result {
        try await body(Session(maildir: self))
    }

    private final class Session: MailSession {
        let maildir: Maildir
        let isUsable = true

        init(maildir: Maildir) {
            self.maildir = maildir
        }

        func deliver(_ message: MailMessage) async -> MailOutcome {
            let maildir = maildir
            do {
                return try await NIOThreadPool.singleton.runIfActive { .accepted(try maildir.write(message)) }
            } catch {
                return .postponed("the Maildir cannot be written: \(error)")
            }
        }
    }

    private func write(_ message: MailMessage) throws -> String {
        // The time in the message's identifier, so that the name is the same on every attempt.
        let milliseconds = message.id.text.removingScalars { $0 == "-" }.prefix(12)
        let name = "\((Int(milliseconds, radix: 16) ?? 0) / 1000).\(message.id).club"
        if FileManager.default.fileExists(atPath: "\(path)/new/\(name)") { return name }
        let draft = "\(path)/tmp/\(name)"
        let file = try OpenFile(writing: draft)
        try file.write(message.bytes)
        try file.synchronize()
        try file.close()
        try OpenFile.move(draft, to: "\(path)/new/\(name)")
        return name
    }
}
