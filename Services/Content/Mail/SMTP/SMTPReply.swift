import ClubProtocol
import NIOCore

/// The reply of an SMTP server: a code and its lines (RFC 5321, 4.2).
struct SMTPReply: Hashable, Sendable {
    var code: Int
    var lines: [String]

    var isPositive: Bool { (200..<400).contains(code) }
    var isPermanent: Bool { code >= 500 }
    /// For the records: one line without control characters.
    var text: String {
        "\(code) \(lines.joined(separator: " "))".filter { character in
            character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
    }
}

/// Splits the bytes from a server into replies.
struct SMTPReplyDecoder {
    /// The server does not speak SMTP.
    struct Garbled: Error {}

    /// RFC 5321 allows 512 bytes per line; servers exceed that a little.
    private static let longestLine = 4096
    private static let mostLines = 200
    private var lines: [String] = []

    /// The next complete reply; nil until it has all arrived.
    mutating func next(in buffer: inout ByteBuffer) throws -> SMTPReply? {
        while let length = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({
            $0 - buffer.readerIndex
        }) {
            guard length <= Self.longestLine, lines.count < Self.mostLines,
                var line = buffer.readString(length: length)
            else { throw Garbled() }
            buffer.moveReaderIndex(forwardBy: 1)
            if line.utf8.last == 0x0D { line.unicodeScalars.removeLast() }
            guard line.utf8.count >= 3, let code = Int(line.prefix(3)), (200..<600).contains(code) else {
                throw Garbled()
            }
            let rest = line.dropFirst(3)
            lines.append(String(rest.dropFirst()))
            if !rest.hasBytePrefix("-") {
                defer { lines = [] }
                return SMTPReply(code: code, lines: lines)
            }
        }
        guard buffer.readableBytes <= Self.longestLine else { throw Garbled() }
        return nil
    }
}
