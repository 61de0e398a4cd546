import ClubProtocol
import FoundationEssentials

/// `MAIL_URL` or `LETTER_MAIL_URL` is not understood.
struct MailURLInvalid: Error, CustomStringConvertible {
    var setting = "MAIL_URL"
    var reason: String

    var description: String { "\(setting) \(reason)" }
}

/// Reads `MAIL_URL`: `maildir:PATH`, `smtp://[user[:password]@]host[:port][?starttls=…&connections=…]`, `smtps://…`.
enum MailTransports {
    static let standardSender: EmailAddress = "flash-info@club.example"

    /// - Parameter name: how we present ourselves to a server: a fully qualified domain name; by default our address.
    static func named(by url: String?, as name: String? = nil) throws -> any MailTransport {
        guard let url, !url.isEmpty else {
            throw MailURLInvalid(reason: "is not set (maildir:PATH, smtp://host or smtps://host)")
        }
        if url.hasBytePrefix("maildir:") {
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
        var connections = 8
        if let text = value("connections", in: components) {
            guard let number = Int(text), (1...64).contains(number) else {
                throw MailURLInvalid(reason: "has connections=\(text); 1 to 64")
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
            user: user, password: components.password, connections: connections,
            sender: try sender(in: components), name: name)
    }

    /// The mail server of letters; nil if they have none of their own.
    static func ofLetters(by url: String?, as name: String? = nil) throws -> (any MailTransport)? {
        guard let url, !url.isEmpty else { return nil }
        do {
            return try named(by: url, as: name)
        } catch let error as MailURLInvalid {
            throw MailURLInvalid(setting: "LETTER_MAIL_URL", reason: error.reason)
        }
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
