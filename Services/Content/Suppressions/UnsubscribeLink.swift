import ClubProtocol
import FoundationEssentials
import ServiceKit

/// The links in a mail by which its reader leaves what the mail is for, or says what they want of it.
struct UnsubscribeLink {
    /// Of this service; nil if it has no public address.
    private let url: String?
    /// The page with the reader's preferences; nil if this service has no public address.
    let preferences: String?
    /// For readers whose mail program follows no link.
    let mailto: String

    /// - Parameter mail: the delivery or the letter.
    init(
        for email: EmailAddress, in mail: UUID, from purpose: Suppression.Purpose, at time: Timestamp,
        in links: SignedLinks, of publicURL: String?, to sender: EmailAddress
    ) throws {
        let token = try ReaderLink(to: email, in: mail, leaving: purpose).token(at: time, links)
        url = publicURL.map { $0 + ReaderLink.leaving(token) }
        preferences = publicURL.map { $0 + ReaderLink.preferences(token) }
        mailto = "mailto:\(sender)?subject=\(purpose.mailtoSubject)"
    }

    /// The one that a reader follows in the text.
    var inText: String { url ?? mailto }

    /// RFC 2369, 3.2; with a link, mail programs leave with one click (RFC 8058).
    var headers: [(name: String, value: String)] {
        guard let url else { return [("List-Unsubscribe", "<\(mailto)>")] }
        return [
            ("List-Unsubscribe", "<\(url)>, <\(mailto)>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    }
}

extension Suppression.Purpose {
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
