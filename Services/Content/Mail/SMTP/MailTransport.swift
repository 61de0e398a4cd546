import ClubProtocol
import FoundationEssentials

/// Where mails are handed over.
protocol MailTransport: Sendable {
    /// Whether handing over the same message twice leaves one message.
    var repeatsHarmlessly: Bool { get }
    /// How many sessions may be open at once.
    var sessions: Int { get }
    /// The address that mails are sent from.
    var sender: EmailAddress { get }
    /// Opens a session for a series of messages; throws ``MailUnreachable`` when the server cannot be reached.
    func withSession<Result: Sendable>(
        _ body: (any MailSession) async throws -> Result
    ) async throws -> Result
}

/// A series of messages over one connection.
protocol MailSession: AnyObject {
    /// Whether it can send another message.
    var isUsable: Bool { get }
    func deliver(_ message: MailMessage) async -> MailOutcome
}

/// The outcome of handing over one message.
enum MailOutcome: Hashable, Sendable {
    /// Accepted by the server.
    case accepted(String)
    /// Permanently refused (5xx).
    case refused(String)
    /// Not accepted, and may be retried (4xx, or the connection was lost before the text was sent).
    case postponed(String)
    /// The connection was lost after the server may have accepted the text.
    case uncertain(String)
}

/// No mail server can be reached at the moment.
struct MailUnreachable: Error {
    var reason: String
}

/// `MAIL_URL` is not understood.
struct MailURLInvalid: Error, CustomStringConvertible {
    var reason: String

    var description: String { "MAIL_URL \(reason)" }
}

/// Reads `MAIL_URL`: `maildir:PATH`, `smtp://[user[:password]@]host[:port][?starttls=…]`, `smtps://…`.
enum MailTransports {
    static let standardSender: EmailAddress = "flash-info@club.example"

    static func named(by url: String?) throws -> any MailTransport {
        guard let url, !url.isEmpty else {
            throw MailURLInvalid(reason: "is not set (maildir:PATH, smtp://host or smtps://host)")
        }
        if url.hasPrefix("maildir:") {
            let parts = url.dropFirst("maildir:".count).split(separator: "?", maxSplits: 1)
            guard let path = parts.first else { throw MailURLInvalid(reason: "names no folder after maildir:") }
            return try Maildir(path: String(path), sender: sender(in: URLComponents(string: url)))
        }
        guard let components = URLComponents(string: url), let host = components.host, !host.isEmpty,
            components.scheme == "smtp" || components.scheme == "smtps"
        else { throw MailURLInvalid(reason: "must be maildir:PATH, smtp://host or smtps://host") }
        let secure = components.scheme == "smtps"
        let startTLS: SMTPTransport.StartTLS
        switch (secure, value("starttls", in: components)) {
        case (true, _), (_, "never"): startTLS = .never
        case (_, nil), (_, "optional"): startTLS = .optional
        case (_, "required"): startTLS = .required
        case (_, let other): throw MailURLInvalid(reason: "has starttls=\(other ?? ""); never, optional or required")
        }
        var connections = 4
        if let text = value("connections", in: components) {
            guard let number = Int(text), (1...32).contains(number) else {
                throw MailURLInvalid(reason: "has connections=\(text); 1 to 32")
            }
            connections = number
        }
        let user = components.user
        if user != nil, !secure, startTLS == .never, !SMTPTransport.isLoopback(host: host) {
            throw MailURLInvalid(
                reason: "has a user and starttls=never: a password is sent after TLS only, but to this machine itself")
        }
        return SMTPTransport(
            host: host, port: components.port ?? (secure ? 465 : 25), secure: secure, startTLS: startTLS,
            user: user, password: components.password,
            sessions: connections, sender: try sender(in: components))
    }

    private static func sender(in components: URLComponents?) throws -> EmailAddress {
        guard let text = value("from", in: components) else { return standardSender }
        guard let address = try? EmailAddress(validating: text) else {
            throw MailURLInvalid(reason: "has from=\(text), which is not a valid e-mail address")
        }
        return address
    }

    private static func value(_ name: String, in components: URLComponents?) -> String? {
        components?.queryItems?.first { $0.name == name }?.value
    }
}
