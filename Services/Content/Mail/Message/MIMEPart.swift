import ClubProtocol

/// A part of a message: its header fields, an empty line and its content (RFC 2045, 3).
indirect enum MIMEPart {
    /// A text of a subtype of `text`.
    case text(String, String)
    case file(Attachment)
    case multipart(Multipart, [MIMEPart])

    enum Multipart: String {
        case alternative, related, mixed
    }

    /// Writes the part without a line ending after it: that belongs to the boundary that follows (RFC 2046, 5.1.1).
    ///
    /// - Parameter boundary: what makes the boundaries of this message its own.
    func write(boundary: String, into bytes: inout [UInt8]) {
        switch self {
        case .text(let subtype, let text):
            bytes += "Content-Type: text/".utf8
            bytes += subtype.utf8
            bytes += "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".utf8
            QuotedPrintable.encode(text, into: &bytes)
        case .file(let attachment):
            attachment.writeHeader(into: &bytes)
            bytes += "\r\n".utf8
            Base64.encode(attachment.bytes, lines: 76, separator: "\r\n", into: &bytes)
        case .multipart(let kind, let parts):
            bytes += "Content-Type: multipart/".utf8
            bytes += kind.rawValue.utf8
            // The first part is the one to show (RFC 2387, 3.1).
            if kind == .related { bytes += ";\r\n type=\"multipart/alternative\"".utf8 }
            bytes += ";\r\n boundary=\"".utf8
            Self.write(kind, boundary, into: &bytes)
            bytes += "\"\r\n".utf8
            for part in parts {
                bytes += "\r\n--".utf8
                Self.write(kind, boundary, into: &bytes)
                bytes += "\r\n".utf8
                part.write(boundary: boundary, into: &bytes)
            }
            bytes += "\r\n--".utf8
            Self.write(kind, boundary, into: &bytes)
            bytes += "--".utf8
        }
    }

    /// `=_` occurs neither in quoted-printable nor in base64 (RFC 2045, 6.7). No boundary begins with another, which
    /// some readers would take for it.
    private static func write(_ kind: Multipart, _ boundary: String, into bytes: inout [UInt8]) {
        bytes += "=_".utf8
        bytes += kind.rawValue.utf8
        bytes.append(UInt8(ascii: "_"))
        bytes += boundary.utf8
    }
}

/// Base 64 (RFC 2045, 6.8).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// - Parameters:
    ///   - lines: how many characters a line has; a multiple of four.
    ///   - separator: what is between two lines.
    static func encode(_ source: [UInt8], lines: Int, separator: String, into bytes: inout [UInt8]) {
        source.withUnsafeBufferPointer { source in
            for start in stride(from: 0, to: source.count, by: lines / 4 * 3) {
                if start > 0 { bytes += separator.utf8 }
                let end = min(source.count, start + lines / 4 * 3)
                encode(UnsafeBufferPointer(rebasing: source[start..<end]), into: &bytes)
            }
        }
    }

    static func encode(_ source: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        alphabet.withUnsafeBufferPointer { alphabet in
            var index = 0
            while index + 3 <= source.count {
                let bits = Int(source[index]) << 16 | Int(source[index + 1]) << 8 | Int(source[index + 2])
                bytes.append(alphabet[bits >> 18])
                bytes.append(alphabet[bits >> 12 & 63])
                bytes.append(alphabet[bits >> 6 & 63])
                bytes.append(alphabet[bits & 63])
                index += 3
            }
            guard index < source.count else { return }
            let second = index + 1 < source.count ? source[index + 1] : nil
            let bits = Int(source[index]) << 16 | Int(second ?? 0) << 8
            bytes.append(alphabet[bits >> 18])
            bytes.append(alphabet[bits >> 12 & 63])
            bytes.append(second == nil ? UInt8(ascii: "=") : alphabet[bits >> 6 & 63])
            bytes.append(UInt8(ascii: "="))
        }
    }
}
