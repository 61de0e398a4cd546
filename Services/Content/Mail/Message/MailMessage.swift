import ClubProtocol
import FoundationEssentials

/// A mail with a text and an HTML body (RFC 5322, RFC 2045 to 2047), serialized with CRLF line endings.
struct MailMessage: Sendable {
    /// The identifier of the delivery or the letter.
    typealias ID = Identifier<MailMessage>

    struct Mailbox: Sendable {
        var name: String?
        var address: EmailAddress
    }

    /// The left part of its Message-ID, and its file name in a Maildir.
    var id: ID
    var from: Mailbox
    var to: Mailbox
    var subject: String
    var date: Date
    var text: String
    var html: String
    /// Additional header fields, such as `List-Unsubscribe`; ASCII values.
    var headers: [(name: String, value: String)] = []

    var messageID: String {
        "<\(id)@\(from.address.text.split(atByte: UInt8(ascii: "@")).last ?? "localhost")>"
    }

    var bytes: [UInt8] {
        let boundary = "=_club_\(id)"
        var lines = [
            "From: \(Self.encoded(from))",
            "To: \(Self.encoded(to))",
            "Subject: \(Self.encodedWords(subject))",
            "Date: \(Self.date(date))",
            "Message-ID: \(messageID)",
            "MIME-Version: 1.0",
            "Content-Language: fr",
            "Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"",
        ]
        lines += headers.map { "\($0.name): \(Self.plain($0.value))" }
        for (type, body) in [("text/plain", text), ("text/html", html)] {
            lines += [
                "", "--\(boundary)", "Content-Type: \(type); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "", Self.quotedPrintable(body),
            ]
        }
        lines += ["", "--\(boundary)--", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    static func encoded(_ mailbox: Mailbox) -> String {
        guard let name = mailbox.name else { return mailbox.address.text }
        let atoms = isLiteral(name) && name.utf8.allSatisfy { !"\"\\()<>[]:;@,.".utf8.contains($0) }
        return "\(atoms ? name : encodedWords(name, always: true)) <\(mailbox.address)>"
    }

    /// Whether a header can carry a text unencoded: printable ASCII, without spaces that a mail client would drop, and
    /// without anything that it would decode (RFC 2047, 2: an encoded word begins with `=?`) or take for folding.
    private static func isLiteral(_ text: String) -> Bool {
        var last = UInt8(ascii: " ")
        for byte in text.utf8 {
            guard byte >= 0x20, byte < 0x7F else { return false }
            if byte == UInt8(ascii: " "), last == byte { return false }
            if byte == UInt8(ascii: "?"), last == UInt8(ascii: "=") { return false }
            last = byte
        }
        return last != UInt8(ascii: " ")
    }

    /// The value of a structured field without characters that no header may have: control characters, line endings,
    /// bytes beyond ASCII.
    private static func plain(_ value: String) -> String {
        String(decoding: value.utf8.filter { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
    }

    /// A header's text, as RFC 2047 encoded words where it cannot be literal. Lines stay within 76 characters after a
    /// name such as `Subject`; no character is split.
    static func encodedWords(_ text: String, always: Bool = false) -> String {
        guard always || !isLiteral(text) else { return text }
        var words: [String] = []
        var chunk: [UInt8] = []
        func close() {
            words.append("=?utf-8?B?\(Data(chunk).base64EncodedString())?=")
            chunk = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if chunk.count + bytes.count > 36 { close() }
            chunk += bytes
        }
        if !chunk.isEmpty { close() }
        return words.joined(separator: "\r\n ")
    }

    /// RFC 2045, 6.7: lines of at most 76 characters.
    static func quotedPrintable(_ text: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        var column = 0
        for (index, byte) in bytes.enumerated() {
            let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
            // Line endings are LF or CRLF.
            if byte == UInt8(ascii: "\n") {
                result += "\r\n".utf8
                column = 0
                continue
            }
            if byte == UInt8(ascii: "\r"), index + 1 < bytes.count, next == UInt8(ascii: "\n") { continue }
            let isLast = next == UInt8(ascii: "\n") || (next == UInt8(ascii: "\r") && endsLine(bytes, after: index + 1))
            let isLiteral =
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
                || (byte == 0x20 || byte == 0x09) && !isLast
            if column + (isLiteral ? 1 : 3) > 75 {
                result += "=\r\n".utf8
                column = 0
            }
            if isLiteral {
                result.append(byte)
                column += 1
            } else {
                result += [UInt8(ascii: "="), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
                column += 3
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func endsLine(_ bytes: [UInt8], after index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
    }

    /// RFC 5322, 3.3.
    static func date(_ date: Date) -> String {
        let timestamp = Timestamp(date)
        let seconds = Int(timestamp.microseconds / 1_000_000)
        let day = Day(daysSince1970: seconds / 86_400)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][day.daysSince1970 % 7]
        let month = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ][day.month - 1]
        return "\(weekday), \(day.day) \(month) \(day.year) \(timestamp.text.dropFirst(11).prefix(8)) +0000"
    }
}
