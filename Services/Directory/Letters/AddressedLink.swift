import ClubProtocol
import ServiceKit

/// A signed link that holds as long as somebody has the address that it was mailed to: whoever reads an address that was given up
/// has no way in. The token has a mark of the address and not the address.
struct AddressedLink {
    let subject: String
    /// Of the address, as ``SignedLinks`` makes it. Links of letters from before have none: they hold until they expire.
    private let mark: String?

    /// - Parameters:
    ///   - subject: without a colon, such as an identifier.
    ///   - email: to which the link is mailed.
    static func token(
        purpose: String, subject: String, at email: EmailAddress, days: Int, by links: SignedLinks
    ) -> String {
        links.token(
            purpose: purpose, subject: "\(subject):\(mark(of: email, by: links))",
            expires: .now.advanced(by: .seconds(days * 86_400)))
    }

    /// - Throws: 404 for every token that was not made for this purpose, or has expired.
    init(_ token: String, purpose: String, by links: SignedLinks) throws {
        let parts = try links.open(token, purpose: purpose).split(separator: ":", maxSplits: 1).map(String.init)
        guard let subject = parts.first else { throw Problem(.notFound) }
        self.subject = subject
        mark = parts.count == 2 ? parts[1] : nil
    }

    /// Refuses a link to an address that is none of these any more.
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
