import ClubProtocol
import ServiceKit

/// `SENDER_FILE` cannot be used: one line for the operator.
struct SenderFileInvalid: Error, Hashable, CustomStringConvertible {
    var path: String
    var reason: String

    var description: String { "SENDER_FILE \(path): \(reason)" }
}

/// Who sends the mails, as each of them must say: valid contact details in whatever is sent to many (CPCE, article
/// L34-5), and who publishes it (LCEN, article 1-1). The content of `SENDER_FILE`.
struct SenderIdentity: Hashable, Sendable {
    private struct Document: Decodable {
        var name: Line
        /// Of the seat, on one line.
        var address: Line
        /// Where people are answered.
        var email: EmailAddress
        var siren: Siren?
        /// Of an association, in the national register.
        var rna: Line?
        /// The page with the legal notice.
        var legalNotice: WebAddress?
    }

    private static let maximumBytes = 16 << 10

    /// As they stand at the foot of a mail.
    let lines: [String]
    let legalNotice: String?

    init(path: String) throws(SenderFileInvalid) {
        let document = try Self.document(path)
        var contact = [document.email.text]
        if let siren = document.siren { contact.append("SIREN\u{A0}\(Self.grouped(siren))") }
        if let rna = document.rna {
            guard Self.isRNA(rna.text) else {
                throw SenderFileInvalid(path: path, reason: "/rna is not W and nine letters or digits")
            }
            contact.append("RNA\u{A0}\(rna)")
        }
        lines = [document.name.text, document.address.text, contact.joined(separator: " · ")]
        legalNotice = document.legalNotice?.text
    }

    private static func document(_ path: String) throws(SenderFileInvalid) -> Document {
        let bytes: [UInt8]
        do {
            bytes = try OpenFile(reading: path).readToEnd(atMost: maximumBytes + 1)
        } catch {
            throw SenderFileInvalid(path: path, reason: "cannot be read: \(error)")
        }
        guard bytes.count <= maximumBytes else {
            throw SenderFileInvalid(path: path, reason: "is longer than \(maximumBytes) bytes")
        }
        do {
            return try StrictJSON.decode(Document.self, from: bytes)
        } catch {
            guard let field = (error as? Problem)?.errors.first else {
                throw SenderFileInvalid(path: path, reason: "is not JSON, or has a duplicate key")
            }
            // It may name a key of the file; the whole has no pointer.
            let place = field.pointer.isEmpty ? "" : "\(field.pointer) "
            let fault = "\(place)\(field.detail)".removingScalars { $0.value < 0x20 || $0.endsLine }
            throw SenderFileInvalid(path: path, reason: String(fault.prefix(scalars: 200)))
        }
    }

    /// In groups of three digits, as INSEE writes it.
    private static func grouped(_ siren: Siren) -> String {
        let digits = Array(siren.text.utf8)
        return stride(from: 0, to: digits.count, by: 3).map {
            String(decoding: digits[$0..<min($0 + 3, digits.count)], as: UTF8.self)
        }.joined(separator: "\u{A0}")
    }

    private static func isRNA(_ text: String) -> Bool {
        text.utf8.count == 10 && text.utf8.first == UInt8(ascii: "W")
            && text.utf8.allSatisfy { FileName.isLetterOrDigit($0) }
    }
}

extension SenderIdentity? {
    /// What the templates' foot needs. Without a file mails have the club's name only; an issue is not sent so.
    var foot: [String: Any] {
        var foot: [String: Any] = ["sender": self?.lines ?? ["Le Club de l’économie numérique"]]
        if let legalNotice = self?.legalNotice { foot["legalNotice"] = legalNotice }
        return foot
    }
}
