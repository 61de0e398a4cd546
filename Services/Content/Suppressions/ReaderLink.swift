import ClubProtocol
import FoundationEssentials
import ServiceKit

/// What the link of a mail says: whose mailbox its user reads, and what they leave by it.
///
/// Its token is encrypted, so that it reveals no address in the histories and logs that it passes through. It needs
/// nothing that is stored: it works when the mail is forgotten.
struct ReaderLink: Sendable {
    var email: EmailAddress
    /// The delivery or the letter; nil for mails from before its links named it, and for a link that was asked for.
    var mail: UUID?
    /// What the mail is for; nil for a link that was asked for.
    var purpose: Suppression.Purpose?

    /// Of a mail to this address.
    init(to email: EmailAddress, in mail: UUID, leaving purpose: Suppression.Purpose) {
        self.email = email
        self.mail = mail
        self.purpose = purpose
    }

    /// Asked for by the reader of an address.
    init(askedForBy email: EmailAddress) {
        self.email = email
    }

    // MARK: Paths

    static func leaving(_ token: String) -> String { "/v1/unsubscriptions/\(token)" }
    static func preferences(_ token: String) -> String { "/v1/preferences/\(token)" }

    // MARK: Tokens

    /// A token, valid for three years in a mail, and for as long as a return is possible if it was asked for.
    ///
    /// - Parameter time: of the mail.
    /// - Throws: errors of the cipher.
    func token(at time: Timestamp, _ links: SignedLinks) throws -> String {
        let days = purpose == nil ? ConsentReturn.days : 3 * 366
        let subject = mail.map { "\($0.uuidString) \(email)" } ?? email.text
        return try links.sealedToken(
            purpose: purpose?.tokenPurpose ?? Self.asked, subject: subject,
            expires: time.advanced(by: .seconds(days * 86_400)))
    }

    /// - Throws: 404 if the token is not one of these or has expired.
    init(_ token: String, _ links: SignedLinks) throws(Problem) {
        for purpose in Suppression.Purpose.allCases.map(Optional.some) + [nil] {
            guard let subject = try? links.open(token, purpose: purpose?.tokenPurpose ?? Self.asked) else { continue }
            guard let link = Self(subject: subject, purpose) else { break }
            self = link
            return
        }
        throw Problem(.notFound, "This link is not valid, or no longer.")
    }

    /// - Parameter subject: the mail and the address; in mails of the first year of the Flash info, only the address.
    private init?(subject: String, _ purpose: Suppression.Purpose?) {
        let parts = subject.split(atByte: UInt8(ascii: " "))
        guard parts.count <= 2, let last = parts.last, let email = try? EmailAddress(validating: String(last)) else {
            return nil
        }
        self.email = email
        self.purpose = purpose
        if parts.count == 2 {
            guard let mail = UUID(uuidString: String(parts[0])) else { return nil }
            self.mail = mail
        }
    }

    /// What a token that was asked for is for.
    private static let asked = "preferences"
}

extension Suppression.Purpose {
    /// Mails in people's mailboxes have these for three years.
    var tokenPurpose: String {
        switch self {
        case .flashInfo: "unsubscribe"
        case .eventInvitations: "unsubscribe-event-invitations"
        }
    }
}
