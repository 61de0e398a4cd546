import ClubProtocol

/// A file in a message.
struct Attachment: Hashable, Sendable {
    /// How it is presented (RFC 2183).
    enum Disposition: Hashable, Sendable {
        /// In the list of the message's files.
        case attachment
        /// Where the HTML refers to it, by `cid:` and its content-ID (RFC 2392).
        case inline(contentID: String)
    }

    /// Its media type without parameters, such as `application/pdf`. Texts are in UTF-8.
    let type: String
    let fileName: FileName
    let bytes: [UInt8]
    let disposition: Disposition
    /// What a calendar does with a `text/calendar`, such as `REQUEST` (RFC 6047, 2.4). It is then an alternative to the
    /// message's text, rather than a file.
    let method: String?

    /// - Parameter contentID: of an inline file: two parts with an `@` between them.
    init(
        type: String, fileName: String, bytes: [UInt8], disposition: Disposition = .attachment, method: String? = nil
    ) throws(InvalidText) {
        let parts = type.split(atByte: UInt8(ascii: "/"))
        guard parts.count == 2, parts.allSatisfy({ Self.isToken($0) }) else {
            throw InvalidText("is not a media type")
        }
        let lowered = type.asciiLowercased
        // Base64 is not allowed for types that are made of messages and parts (RFC 2045, 6.4).
        guard !lowered.hasBytePrefix("multipart/"), !lowered.hasBytePrefix("message/") else {
            throw InvalidText("is not the media type of a file")
        }
        if case .inline(let contentID) = disposition, !Self.isContentID(contentID) {
            throw InvalidText("is not a content-ID")
        }
        if let method {
            guard Self.isToken(method[...]) else { throw InvalidText("is not a method of a calendar") }
            guard lowered.hasSameBytes(as: "text/calendar"), disposition == .attachment else {
                throw InvalidText("has a method, and is not an invitation")
            }
        }
        self.type = lowered
        self.fileName = FileName(fileName)
        self.bytes = bytes
        self.disposition = disposition
        self.method = method
    }

    /// Writes the header fields of its part.
    func writeHeader(into output: inout [UInt8]) {
        output += "Content-Type: ".utf8
        output += type.utf8
        if type.hasBytePrefix("text/") { output += "; charset=utf-8".utf8 }
        if let method {
            output += ";\r\n method=".utf8
            output += method.utf8
        }
        fileName.writeName(into: &output)
        output += "\r\nContent-Transfer-Encoding: base64\r\n".utf8
        guard method == nil else { return }
        switch disposition {
        case .attachment: output += "Content-Disposition: attachment".utf8
        case .inline(let contentID):
            output += "Content-ID: <".utf8
            output += contentID.utf8
            output += ">\r\nContent-Disposition: inline".utf8
        }
        fileName.writeFileName(into: &output)
        output += "\r\n".utf8
    }

    /// RFC 2045, 5.1; at most as long as a registered name (RFC 6838, 4.2).
    private static func isToken(_ text: Substring) -> Bool {
        (1...127).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21..<0x7F).contains($0) && !"()<>@,;:\\\"/[]?=".utf8.contains($0) }
    }

    /// The `id-left` and `id-right` that are also the same in a URL.
    private static func isContentID(_ text: String) -> Bool {
        let parts = text.split(atByte: UInt8(ascii: "@"))
        return parts.count == 2
            && parts.allSatisfy { part in
                (1...64).contains(part.utf8.count)
                    && part.utf8.allSatisfy {
                        FileName.isLetterOrDigit($0) || "-_.".utf8.contains($0)
                    }
            }
    }
}

/// The name of a file, as every receiver may store and show it.
struct FileName: Hashable, Sendable {
    /// What file systems allow.
    private static let longest = 255
    /// A name that fits a line behind its parameter.
    private static let columns = 60
    /// Percent-encoded characters that fit a line behind a numbered parameter.
    private static let sectionColumns = 52

    /// Empty if nothing of the name can stay; the file then has none.
    let text: String

    /// Removes what would end a line or a path, or show another name than there is: controls, separators, and the
    /// characters that change the direction of text, which hide an extension.
    init(_ name: String) {
        let visible = name.removingScalars { scalar in
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
            case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: true
            case 0x2F, 0x5C: true
            default: false
            }
        }
        text = Self.shortened(visible, to: Self.longest)
    }

    /// Whether it may be in quotes as it is, and is understood by every reader.
    private var isPlain: Bool {
        text.utf8.count <= Self.columns && EncodedWords.isLiteral(text) && !text.hasByte(UInt8(ascii: "\""))
    }

    /// Writes the parameter of `Content-Type`, which some readers prefer. An encoded word in it is against RFC 2047, 5,
    /// and what these readers decode.
    func writeName(into bytes: inout [UInt8]) {
        guard !text.isEmpty else { return }
        bytes += ";\r\n name=\"".utf8
        if isPlain {
            bytes += text.utf8
        } else {
            var column = 7
            EncodedWords.encode(text, &column, into: &bytes)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes the parameter of `Content-Disposition`: percent-encoded where needed (RFC 2231), in numbered sections if it
    /// is long. A second name in ASCII beside it is for HTTP only (RFC 6266, 4.3): a mail may have no parameter twice
    /// (RFC 2045, 5), and readers that do not know RFC 2231 have the name of `Content-Type`.
    func writeFileName(into bytes: inout [UInt8]) {
        guard !text.isEmpty else { return }
        guard !isPlain else {
            bytes += ";\r\n filename=\"\(text)\"".utf8
            return
        }
        let sections = encodedSections
        for (index, section) in sections.enumerated() {
            bytes += ";\r\n filename*".utf8
            if sections.count > 1 { bytes += "\(index)*".utf8 }
            bytes += (index == 0 ? "=utf-8''" : "=").utf8
            bytes += section
        }
    }

    /// Cut between characters, as some readers decode each section alone.
    private var encodedSections: [[UInt8]] {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        var sections: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            var encoded: [UInt8] = []
            for byte in UTF8.encode(scalar).map(Array.init) ?? [] {
                // `attribute-char` of RFC 2231, 7, without the few that some readers do not expect.
                if Self.isLetterOrDigit(byte) || "-._".utf8.contains(byte) {
                    encoded.append(byte)
                } else {
                    encoded += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
                }
            }
            if sections[sections.count - 1].count + encoded.count > Self.sectionColumns { sections.append([]) }
            sections[sections.count - 1] += encoded
        }
        return sections
    }

    /// Cut before its extension, without which a file is not opened.
    private static func shortened(_ name: String, to limit: Int) -> String {
        guard name.utf8.count > limit else { return name }
        let bytes = Array(name.utf8)
        let tail = bytes.suffix(16)
        let ending = tail.lastIndex(of: UInt8(ascii: ".")).map { tail[$0...] } ?? []
        var end = limit - ending.count
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end] + ending, as: UTF8.self)
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
