import ClubProtocol
import ServiceKit

/// The link in a mail by which its reader leaves what the mail is for.
struct UnsubscribeLink {
    /// Of this service; nil if it has no public address.
    private let url: String?
    /// For readers whose mail program follows no link.
    let mailto: String

    init(
        for email: EmailAddress, from purpose: Suppression.Purpose, at time: Timestamp, in links: SignedLinks,
        of publicURL: String?, to sender: EmailAddress
    ) throws {
        let token = try Self.token(for: email, from: purpose, at: time, links)
        url = publicURL.map { "\($0)/v1/unsubscriptions/\(token)" }
        mailto = "mailto:\(sender)?subject=\(purpose.mailtoSubject)"
    }

    /// RFC 2369, 3.2; with a link, mail programs leave with one click (RFC 8058).
    var headers: [(name: String, value: String)] {
        guard let url else { return [("List-Unsubscribe", "<\(mailto)>")] }
        return [
            ("List-Unsubscribe", "<\(url)>, <\(mailto)>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    }

    // MARK: Tokens

    /// The token of a link, valid for 400 days. Encrypted, so that the link reveals no address in the histories and logs
    /// that it passes through.
    static func token(
        for email: EmailAddress, from purpose: Suppression.Purpose, at time: Timestamp, _ links: SignedLinks
    ) throws -> String {
        try links.sealedToken(
            purpose: purpose.tokenPurpose, subject: email.text, expires: time.advanced(by: .seconds(400 * 86_400)))
    }

    /// The address that leaves, and what.
    ///
    /// - Throws: `Problem` if the token is not one of these or has expired.
    static func open(
        _ token: String, _ links: SignedLinks
    ) throws(Problem) -> (email: EmailAddress, purpose: Suppression.Purpose) {
        for purpose in Suppression.Purpose.allCases {
            guard let subject = try? links.open(token, purpose: purpose.tokenPurpose) else { continue }
            guard let email = try? EmailAddress(validating: subject) else { break }
            return (email, purpose)
        }
        throw Problem(.notFound, "This link is not valid, or no longer.")
    }
}

extension Suppression.Purpose {
    /// Mails in people's mailboxes have these for 400 days.
    var tokenPurpose: String {
        switch self {
        case .flashInfo: "unsubscribe"
        case .eventInvitations: "unsubscribe-event-invitations"
        }
    }

    fileprivate var mailtoSubject: String {
        switch self {
        case .flashInfo: "desinscription"
        case .eventInvitations: "desinscription-invitations"
        }
    }

    init(_ consent: Letter.Consent) {
        self =
            switch consent {
            case .eventInvitations: .eventInvitations
            }
    }
}
