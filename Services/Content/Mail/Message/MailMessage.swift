import ClubProtocol
import FoundationEssentials

/// A mail with a text and an HTML body, and files (RFC 5322, RFC 2045 to 2047).
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
    var replyTo: Mailbox?
    var attachments: [Attachment] = []

    var messageID: String {
        "<\(id)@\(from.address.text.split(atByte: UInt8(ascii: "@")).last ?? "localhost")>"
    }

    /// The message as it is sent: seven-bit, with CRLF line endings.
    ///
    /// It depends on nothing but the value, so that another attempt sends the same bytes: receivers that have them
    /// already can tell.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        // Quoted-printable adds about a fifth to French, base64 a little more than a third to files.
        bytes.reserveCapacity(
            2048 + (text.utf8.count + html.utf8.count) * 5 / 4
                + attachments.reduce(0) { $0 + 1024 + $1.bytes.count * 7 / 5 })
        HeaderField.write("From", from, into: &bytes)
        HeaderField.write("To", to, into: &bytes)
        if let replyTo { HeaderField.write("Reply-To", replyTo, into: &bytes) }
        HeaderField.write("Subject", text: subject, into: &bytes)
        bytes += "Date: ".utf8
        MessageDate.write(date, into: &bytes)
        bytes += "\r\n".utf8
        HeaderField.write("Message-ID", value: messageID, into: &bytes)
        for header in headers { HeaderField.write(header.name, value: header.value, into: &bytes) }
        bytes += "MIME-Version: 1.0\r\nContent-Language: fr\r\n".utf8
        content.write(boundary: id.text, into: &bytes)
        bytes += "\r\n".utf8
        return bytes
    }

    /// An invitation is an alternative to the texts, where calendars look for it (RFC 6047, 2.4); images are beside the
    /// HTML that shows them (RFC 2387), and files beside all that.
    private var content: MIMEPart {
        let invitations = attachments.filter { $0.method != nil }
        let images = attachments.filter { $0.method == nil && $0.disposition != .attachment }
        let files = attachments.filter { $0.method == nil && $0.disposition == .attachment }
        var content = MIMEPart.multipart(
            .alternative, [.text("plain", text), .text("html", html)] + invitations.map(MIMEPart.file))
        if !images.isEmpty { content = .multipart(.related, [content] + images.map(MIMEPart.file)) }
        if !files.isEmpty { content = .multipart(.mixed, [content] + files.map(MIMEPart.file)) }
        return content
    }
}
