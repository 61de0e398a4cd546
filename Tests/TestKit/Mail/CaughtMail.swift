import Foundation

/// A mail from a Maildir, parsed independently of the code that wrote it.
package struct CaughtMail: Sendable {
    /// The bare address.
    package let recipient: String
    package let subject: String
    /// The text part, decoded.
    package let text: String
    /// The HTML part, decoded.
    package let html: String

    /// Every mail in a Maildir, oldest first; none if the folder does not exist.
    package static func all(in maildir: String) throws -> [CaughtMail] {
        let folder = "\(maildir)/new"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
            CaughtMail(
                message: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")), as: UTF8.self))
        }
    }

    /// Waits until the Maildir has this many mails; returns what there is after half a minute.
    package static func wait(for count: Int, in maildir: String) async throws -> [CaughtMail] {
        for _ in 0..<600 {
            let mails = try all(in: maildir)
            if mails.count >= count { return mails }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try all(in: maildir)
    }

    /// The first link of the text, above the foot that every mail has.
    package var link: String? {
        text.split(whereSeparator: \.isNewline).prefix { $0 != "--" }
            .flatMap { $0.split(whereSeparator: \.isWhitespace) }.first { $0.hasPrefix("http") }.map(String.init)
    }

    /// The path and query of that link.
    package var path: String? {
        link.flatMap { URLComponents(string: $0) }.map {
            $0.percentEncodedPath + ($0.percentEncodedQuery.map { "?\($0)" } ?? "")
        }
    }

    private init(message: String) {
        let (head, body) = Self.parts(message)
        let fields = Self.fields(head)
        recipient = String((fields["to"] ?? "").split(separator: "<").last ?? "").replacing(">", with: "")
        subject = Self.decodedWords(fields["subject"] ?? "")
        let boundary = (fields["content-type"] ?? "").split(separator: "\"").dropFirst().first.map(String.init) ?? ""
        let parts = body.components(separatedBy: "--\(boundary)").dropFirst().map { part -> String in
            Self.unquoted(Self.parts(String(part.drop { $0.isNewline })).body)
        }
        text = parts.first ?? ""
        html = parts.dropFirst().first ?? ""
    }

    private static func parts(_ text: String) -> (head: String, body: String) {
        guard let blank = text.range(of: "\r\n\r\n") else { return (text, "") }
        return (String(text[..<blank.lowerBound]), String(text[blank.upperBound...]))
    }

    private static func fields(_ head: String) -> [String: String] {
        let lines = head.replacing("\r\n ", with: " ").components(separatedBy: "\r\n")
        return lines.reduce(into: [:]) { fields, line in
            guard let colon = line.firstIndex(of: ":") else { return }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
    }

    /// RFC 2047, base64 only: our code writes nothing else.
    private static func decodedWords(_ text: String) -> String {
        text.split(separator: " ").map { word -> (text: String, isEncoded: Bool) in
            let pieces = word.split(separator: "?", omittingEmptySubsequences: false)
            guard pieces.count == 5, let data = Data(base64Encoded: String(pieces[3])) else {
                return (String(word), false)
            }
            return (String(decoding: data, as: UTF8.self), true)
        }.reduce(into: (text: "", wasEncoded: true)) { result, word in
            if !(result.wasEncoded && word.isEncoded), !result.text.isEmpty { result.text += " " }
            result = (result.text + word.text, word.isEncoded)
        }.text
    }

    /// RFC 2045, 6.7.
    private static func unquoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.replacing("=\r\n", with: "").utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "="), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
