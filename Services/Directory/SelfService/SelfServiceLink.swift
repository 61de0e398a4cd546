import ClubProtocol
import ServiceKit

/// The signed links by which ambassadors and experts come to their own record, and to nothing else.
///
/// A link holds as long as the record has the address that it was mailed to: whoever reads an address that was given up has no way in.
struct SelfServiceLink {
    private static let purpose = "self-service"

    let enrollee: Enrollee
    /// Of the address, as ``SignedLinks`` makes it. Links of letters from before have none: they hold until they expire.
    private let mark: String?
    /// Whether the link is nowhere but in a mail to that address: whoever has it reads what comes there. Links of letters from before do
    /// not say it.
    private let isMailed: Bool
    private static let mailed = "mailed"

    /// The path of the page that the link leads to.
    ///
    /// - Parameters:
    ///   - email: the record's, to which the link is mailed.
    ///   - isMailed: false for a link that is shown to whoever gave the record this address, which proves nothing.
    static func path(
        to enrollee: Enrollee, at email: EmailAddress, days: Int, isMailed: Bool = true, by links: SignedLinks
    ) -> String {
        let mark = AddressedLink.mark(of: email, by: links)
        let token = links.token(
            purpose: purpose, subject: "\(enrollee.text):\(mark)" + (isMailed ? ":\(mailed)" : ""),
            expires: .now.advanced(by: .seconds(days * 86_400)))
        return path(token)
    }

    static func path(_ token: String) -> String { "/v1/self-service/\(token)" }

    /// What a token opens.
    ///
    /// - Throws: 404 for every token that was not made for this, or has expired.
    init(_ token: String, by links: SignedLinks) throws {
        let parts = try links.open(token, purpose: Self.purpose).split(atByte: UInt8(ascii: ":"), maxSplits: 3).map(
            String.init)
        guard let enrollee = Enrollee(text: parts.prefix(2).joined(separator: ":")) else { throw Problem(.notFound) }
        self.enrollee = enrollee
        mark = parts.count > 2 ? parts[2] : nil
        isMailed = parts.count > 3 && parts[3].utf8.elementsEqual(Self.mailed.utf8)
    }

    func opens(_ record: SelfRecord, by links: SignedLinks) -> Bool {
        guard let mark else { return true }
        return record.addresses.contains { AddressedLink.mark(of: $0, by: links) == mark }
    }

    /// The address of the record at which whoever has the link reads their mail; nil where the link does not show it.
    func confirmed(of record: SelfRecord, by links: SignedLinks) -> EmailAddress? {
        guard let mark, isMailed else { return nil }
        return record.addresses.first { AddressedLink.mark(of: $0, by: links) == mark }
    }
}

extension Enrollee {
    /// `expert:0193…`
    var text: String {
        switch self {
        case .ambassador(let id): "ambassador:\(id)"
        case .expert(let id): "expert:\(id)"
        }
    }

    init?(text: String) {
        let parts = text.split(atByte: UInt8(ascii: ":"), maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "ambassador":
            guard let id = try? Ambassador.ID(validating: parts[1]) else { return nil }
            self = .ambassador(id)
        case "expert":
            guard let id = try? Expert.ID(validating: parts[1]) else { return nil }
            self = .expert(id)
        default: return nil
        }
    }
}
