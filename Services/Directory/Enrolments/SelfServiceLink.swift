import ClubProtocol
import ServiceKit

/// The signed links that give ambassadors and experts access to their own record, and to nothing else.
///
/// A link is valid while the record has the address it was mailed to: someone who reads an address that was given up
/// cannot use it.
struct SelfServiceLink {
    private static let purpose = "self-service"

    let enrollee: Enrollee
    /// The digest of the address, from `SignedLinks`. Links in older letters have none: they are valid until they
    /// expire.
    private let mark: String?
    /// Whether the link exists only in a mail to that address: then its user reads that mailbox. Links in older letters
    /// do not say so.
    private let isMailed: Bool
    private static let mailed = "mailed"

    /// The path of the page that the link leads to.
    ///
    /// - Parameters:
    ///   - email: the record's address that the link is mailed to.
    ///   - isMailed: false for a link shown to the person who gave the record this address, which proves nothing.
    static func path(
        to enrollee: Enrollee, at email: EmailAddress, days: Int, isMailed: Bool = true, by links: SignedLinks
    ) -> String {
        let mark = links.mark(of: email)
        let token = links.token(
            purpose: purpose, subject: "\(enrollee.text):\(mark)" + (isMailed ? ":\(mailed)" : ""),
            expires: .now.advanced(by: .seconds(days * 86_400)))
        return path(token)
    }

    static func path(_ token: String) -> String { "/v1/self-service/\(token)" }

    /// The content of a token.
    ///
    /// - Throws: 404 for a token that was not made for this, or has expired.
    init(_ token: String, by links: SignedLinks) throws {
        let parts = try links.open(token, purpose: Self.purpose).split(atByte: UInt8(ascii: ":"), maxSplits: 3).map(
            String.init)
        guard let enrollee = Enrollee(text: parts.prefix(2).joined(separator: ":")) else { throw Problem(.notFound) }
        self.enrollee = enrollee
        mark = parts.count > 2 ? parts[2] : nil
        isMailed = parts.count > 3 && parts[3].utf8.elementsEqual(Self.mailed.utf8)
    }

    /// - Parameter addresses: those of the record.
    func isValid(at addresses: [EmailAddress], by links: SignedLinks) -> Bool {
        guard let mark else { return true }
        return addresses.contains { links.mark(of: $0) == mark }
    }

    /// The address whose mailbox the user of the link is known to read; nil if the link does not prove it.
    ///
    /// - Parameter addresses: those of the record.
    func confirmed(among addresses: [EmailAddress], by links: SignedLinks) -> EmailAddress? {
        guard let mark, isMailed else { return nil }
        return addresses.first { links.mark(of: $0) == mark }
    }
}
