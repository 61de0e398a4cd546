import ClubProtocol

/// The fields of a header (RFC 5322, 2.2), written into a message.
enum HeaderField {
    /// A line without its CRLF must not be longer (RFC 5322, 2.1.1).
    static let longestLine = 998
    /// A line should not be longer (RFC 5322, 2.1.1).
    static let columns = 78

    /// A field of text, such as `Subject`.
    static func write(_ name: String, text: String, into bytes: inout [UInt8]) {
        start(name, into: &bytes)
        var column = name.utf8.count + 2
        if EncodedWords.isLiteral(text) {
            writeWords(text, &column, into: &bytes)
        } else {
            EncodedWords.encode(text, &column, into: &bytes)
        }
        bytes += "\r\n".utf8
    }

    /// A field with one address, such as `To`.
    static func write(_ name: String, _ mailbox: MailMessage.Mailbox, into bytes: inout [UInt8]) {
        start(name, into: &bytes)
        var column = name.utf8.count + 2
        if let display = mailbox.name, !display.isEmpty {
            if EncodedWords.isLiteral(display), !display.utf8.contains(where: isSpecial) {
                writeWords(display, &column, into: &bytes)
            } else {
                EncodedWords.encode(display, &column, into: &bytes)
            }
            bytes += (column + 3 + mailbox.address.text.utf8.count > columns ? "\r\n <" : " <").utf8
            bytes += mailbox.address.text.utf8
            bytes.append(UInt8(ascii: ">"))
        } else {
            bytes += mailbox.address.text.utf8
        }
        bytes += "\r\n".utf8
    }

    /// A structured field as it is, on one line: readers of `List-Unsubscribe` look for addresses in it without
    /// decoding and often without unfolding.
    ///
    /// Characters that no header may have are removed. A line that would be too long is folded where a blank follows a
    /// comma; a field that is still too long is left out, as a server would refuse the message for it.
    static func write(_ name: String, value: String, into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8.lazy.filter(isPrintable))
        bytes += ": ".utf8
        bytes.append(contentsOf: value.utf8.lazy.filter(isPrintable))
        if bytes.count - start > longestLine {
            let line = bytes[start...]
            let lines = folded(line)
            bytes.removeSubrange(start...)
            guard lines.allSatisfy({ $0.count < longestLine }) else { return }
            bytes.append(contentsOf: lines.joined(separator: "\r\n ".utf8))
        }
        bytes += "\r\n".utf8
    }

    private static func start(_ name: String, into bytes: inout [UInt8]) {
        bytes += name.utf8
        bytes += ": ".utf8
    }

    private static func isPrintable(_ byte: UInt8) -> Bool { (0x20..<0x7F).contains(byte) }

    /// `specials` of RFC 5322, 3.2.3, which a display name may have in quotes only.
    private static func isSpecial(_ byte: UInt8) -> Bool { "\"\\()<>[]:;@,.".utf8.contains(byte) }

    /// Cut after each comma before a blank, without the blank.
    private static func folded(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = line.startIndex
        for index in line.indices.dropFirst(2)
        where line[index - 1] == UInt8(ascii: " ") && line[index - 2] == UInt8(ascii: ",") {
            lines.append(line[start..<(index - 1)])
            start = index
        }
        return lines + [line[start...]]
    }

    /// Writes words that have one blank between them, folded at these.
    private static func writeWords(_ text: String, _ column: inout Int, into bytes: inout [UInt8]) {
        for (index, word) in text.utf8.split(separator: UInt8(ascii: " ")).enumerated() {
            if index > 0 {
                let isFolded = column + 1 + word.count > columns
                bytes += (isFolded ? "\r\n " : " ").utf8
                column = (isFolded ? 0 : column) + 1
            }
            bytes += word
            column += word.count
        }
    }
}

/// Text outside ASCII in a header (RFC 2047).
enum EncodedWords {
    /// 48 characters of base64, so that a line stays within 76 even after the name of a field.
    private static let bytesInWord = 36
    /// The longest word that fits a line behind the name of a field.
    private static let longestWord = 60

    /// Whether a header can have a text unencoded: printable ASCII in words that fit a line, without blanks that a mail
    /// client would drop, and without anything that it would decode (RFC 2047, 2: an encoded word begins with `=?`).
    static func isLiteral(_ text: String) -> Bool {
        var last = UInt8(ascii: " ")
        var length = 0
        for byte in text.utf8 {
            guard byte >= 0x20, byte < 0x7F else { return false }
            if byte == UInt8(ascii: " "), last == byte { return false }
            if byte == UInt8(ascii: "?"), last == UInt8(ascii: "=") { return false }
            length = byte == UInt8(ascii: " ") ? 0 : length + 1
            guard length <= longestWord else { return false }
            last = byte
        }
        return last != UInt8(ascii: " ")
    }

    /// Writes a text as encoded words, each on a line. No character is cut in two (RFC 2047, 5).
    static func encode(_ text: String, _ column: inout Int, into bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { source in
            var start = 0
            while start < source.count {
                if start > 0 {
                    bytes += "\r\n ".utf8
                    column = 1
                }
                var end = min(source.count, start + bytesInWord)
                while end < source.count, source[end] & 0xC0 == 0x80 { end -= 1 }
                let before = bytes.count
                bytes += "=?utf-8?B?".utf8
                Base64.encode(UnsafeBufferPointer(rebasing: source[start..<end]), into: &bytes)
                bytes += "?=".utf8
                column += bytes.count - before
                start = end
            }
        }
    }
}
