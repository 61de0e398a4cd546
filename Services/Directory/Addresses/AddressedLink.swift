import ClubProtocol
import ServiceKit

/// A signed link that is valid only while its subject has the address it was mailed to: someone who reads an address
/// that was given up cannot use it. The token contains a digest of the address instead of the address.
struct AddressedLink {
    let subject: String
    /// The digest of the address, from `SignedLinks`. Links in older letters have none: they are valid until they
    /// expire.
    private let mark: String?

    /// - Parameters:
    ///   - subject: without a colon, such as an identifier.
    ///   - email: the address that the link is mailed to.
    static func token(
        purpose: String, subject: String, at email: EmailAddress, days: Int, by links: SignedLinks
    ) -> String {
        links.token(
            purpose: purpose, subject: "\(subject):\(mark(of: email, by: links))",
            expires: .now.advanced(by: .seconds(days * 86_400)))
    }

    /// - Throws: 404 for a token that was not made for this purpose, or has expired.
    init(_ token: String, purpose: String, by links: SignedLinks) throws {
        let parts = try links.open(token, purpose: purpose).split(separator: ":", maxSplits: 1).map(String.init)
        guard let subject = parts.first else { throw Problem(.notFound) }
        self.subject = subject
        mark = parts.count == 2 ? parts[1] : nil
    }

    /// Refuses a link whose address is no longer one of these.
    ///
    /// - Throws: 404.
    func check(_ addresses: [EmailAddress], by links: SignedLinks) throws {
        guard let mark else { return }
        guard addresses.contains(where: { Self.mark(of: $0, by: links) == mark }) else {
            throw Problem(.notFound, "This link is not valid, or no longer.")
        }
    }

    static func mark(of email: EmailAddress, by links: SignedLinks) -> String {
        links.mark(of: email.text.asciiLowercased)
    }
}
