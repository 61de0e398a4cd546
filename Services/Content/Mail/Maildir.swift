import ClubProtocol
import Foundation
import NIOPosix

/// A Maildir: each message a file, written under `tmp/` and moved to `new/` when it is whole.
///
/// A file is named after its message, so that a message handed over twice is one file.
struct Maildir: MailTransport {
    let path: String
    let sender: EmailAddress
    let repeatsHarmlessly = true
    let sessions = 2

    /// Makes the folders; throws ``MailURLInvalid`` when that cannot be done.
    init(path: String, sender: EmailAddress) throws {
        self.path = path
        self.sender = sender
        do {
            for folder in ["tmp", "new", "cur"] {
                try FileManager.default.createDirectory(
                    atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
            }
        } catch {
            throw MailURLInvalid(reason: "names a Maildir that cannot be made: \(error.localizedDescription)")
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
                return .postponed("the Maildir cannot be written: \(error.localizedDescription)")
            }
        }
    }

    private func write(_ message: MailMessage) throws -> String {
        // Seconds of the message's own making, so that the name is the same at every try.
        let milliseconds = message.id.text.removingScalars { $0 == "-" }.prefix(12)
        let name = "\((Int(milliseconds, radix: 16) ?? 0) / 1000).\(message.id).club"
        let manager = FileManager.default
        if manager.fileExists(atPath: "\(path)/new/\(name)") { return name }
        let draft = URL(fileURLWithPath: "\(path)/tmp/\(name)")
        try Data(message.bytes).write(to: draft)
        let handle = try FileHandle(forWritingTo: draft)
        try handle.synchronize()
        try handle.close()
        guard rename(draft.path, "\(path)/new/\(name)") == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
        return name
    }
}
