import ClubProtocol
import ServiceKit

/// The link in a Flash info by which its reader leaves the list.
enum UnsubscribeLink {
    static let purpose = "unsubscribe"

    /// The token of a link, valid for 400 days. Encrypted, so that the link reveals no address in the histories and logs
    /// that it passes through.
    static func token(for email: EmailAddress, at time: Timestamp, _ links: SignedLinks) throws -> String {
        try links.sealedToken(
            purpose: purpose, subject: email.text, expires: time.advanced(by: .seconds(400 * 86_400)))
    }

    /// The address that leaves the list.
    ///
    /// - Throws: `Problem` if the token is not one of these or has expired.
    static func open(_ token: String, _ links: SignedLinks) throws -> EmailAddress {
        let subject = try links.open(token, purpose: purpose)
        guard let email = try? EmailAddress(validating: subject) else { throw Problem(.notFound) }
        return email
    }
}
