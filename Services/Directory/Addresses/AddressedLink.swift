import ClubProtocol
import ServiceKit

/// A signed link that is valid only while its subject has the address it was mailed to: someone who reads an address
/// that was given up cannot use it. The token contains a digest of the address instead of the address.
struct AddressedLink<Subject> {
    let subject: Identifier<Subject>
    /// The digest of the address, from `SignedLinks`. Links in older letters have none: they are valid until they
    /// expire.
    private let mark: String?
    private let links: SignedLinks

    /// - Parameter email: the address that the link is mailed to.
    static func token(
        purpose: String, subject: Identifier<Subject>, at email: EmailAddress, days: Int, by links: SignedLinks
    ) -> String {
        links.token(
            purpose: purpose, subject: "\(subject):\(links.mark(of: email))",
            expires: .now.advanced(by: .seconds(days * 86_400)))
    }

    /// - Throws: 404 for a token that was not made for this purpose, or has expired.
    init(_ token: String, purpose: String, by links: SignedLinks) throws {
        let parts = try links.open(token, purpose: purpose).split(separator: ":", maxSplits: 1).map(String.init)
        guard let text = parts.first, let subject = try? Identifier<Subject>(validating: text) else {
            throw Problem(.notFound)
        }
        self.subject = subject
        self.links = links
        mark = parts.count == 2 ? parts[1] : nil
    }

    /// Refuses a link whose address is no longer one of these.
    ///
    /// - Throws: 404.
    func check(_ addresses: [EmailAddress]) throws {
        guard let mark else { return }
        guard addresses.contains(where: { links.mark(of: $0) == mark }) else {
            throw Problem(.notFound, "This link is not valid, or no longer.")
        }
    }
}

extension SignedLinks {
    /// The digest of an address, in lower case.
    func mark(of email: EmailAddress) -> String { mark(of: email.text.asciiLowercased) }
}
