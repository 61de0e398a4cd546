import ClubProtocol
import FoundationEssentials
import ServiceKit

/// `MAIL_RETURN` cannot be used: one line for the operator.
struct MailReturnInvalid: Error, CustomStringConvertible {
    let description = "MAIL_RETURN must be return@ and a domain: what comes back is sent to return+TOKEN@ that domain"
}

/// The envelope senders of our mails: `return+TOKEN@…`, by which what comes back finds its mail, and only what answers a
/// mail of ours does.
///
/// A token is the identifier of the mail and a code of it, in base32hex (RFC 4648, 7) and lower case: servers change the
/// case of addresses. It says nothing of the reader.
struct ReturnPath: Sendable {
    /// 16 bytes of the identifier and 9 of the code, five bits a character.
    static let tokenLength = 40

    let domain: String
    private let links: SignedLinks

    /// - Throws: ``MailReturnInvalid``.
    init(_ address: String, links: SignedLinks) throws(MailReturnInvalid) {
        guard let address = try? EmailAddress(validating: address),
            address.text.asciiLowercased.hasBytePrefix("return@")
        else { throw MailReturnInvalid() }
        domain = address.domain
        self.links = links
    }

    /// The envelope sender of a mail.
    func address(of mail: MailMessage.ID) throws -> EmailAddress {
        try EmailAddress(validating: "return+\(Base32Hex.encode(Self.bytes(of: mail) + code(of: mail)))@\(domain)")
    }

    /// The mail whose token this is; nil if it is none of ours.
    func mail(of token: String) -> MailMessage.ID? {
        guard token.utf8.count == Self.tokenLength, let bytes = Base32Hex.decode(token.utf8), bytes.count == 25 else {
            return nil
        }
        let uuid = bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        let mail = MailMessage.ID(UUID(uuid: uuid))
        return code(of: mail).elementsEqual(bytes[16...]) ? mail : nil
    }

    private func code(of mail: MailMessage.ID) -> [UInt8] {
        Base64URL.decode(links.mark(of: "return \(mail)").utf8) ?? []
    }

    private static func bytes(of mail: MailMessage.ID) -> [UInt8] {
        withUnsafeBytes(of: mail.uuid.uuid) { Array($0) }
    }
}

/// RFC 4648, 7, in lower case and without padding.
enum Base32Hex {
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> count & 0x1F)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << (5 - count) & 0x1F)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// In either case; nil for other characters.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in text {
            guard let digit = digit(byte) else { return nil }
            bits = bits << 5 | digit
            count += 5
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "v"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "V"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
