import ClubProtocol
import ServiceKit

/// The link in each Flash info that takes the address off the list.
enum UnsubscribeLink {
    /// The purpose that its token is signed for.
    static let purpose = "unsubscribe"

    /// Encrypted, so that the link reveals no address in the histories and logs that it passes through. Valid for 400
    /// days.
    static func token(for address: EmailAddress, _ links: SignedLinks) throws -> String {
        try links.sealedToken(
            purpose: purpose, subject: address.text, expires: .now.advanced(by: .seconds(400 * 86_400)))
    }

    /// - Throws: 404 for a token that is not valid or has expired.
    static func address(in token: String, _ links: SignedLinks) throws -> EmailAddress {
        let subject = try links.open(token, purpose: purpose)
        guard let address = try? EmailAddress(validating: subject) else { throw Problem(.notFound) }
        return address
    }
}
