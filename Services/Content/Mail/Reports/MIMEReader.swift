/// Reads the structure of a message that came from outside (RFC 5322, RFC 2045, RFC 2046), in one pass over its lines.
///
/// It refuses nothing: what is no header is text, what has no boundary is one part, and what is too deep or too much
/// belongs to the part that it is in.
struct MIMEReader {
    /// Nothing after these bytes is looked at.
    static let longestMessage = 20 << 20
    static let deepest = 20
    static let mostParts = 200
    /// RFC 2046 allows 70; some programs have more.
    private static let longestBoundary = 200

    private let bytes: ArraySlice<UInt8>
    private var lines: ByteLines
    /// The boundaries of the parts that are open, the outermost first.
    private var boundaries: [[UInt8]] = []
    private var count = 0

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        lines = ByteLines(bytes)
    }

    static func read(_ bytes: [UInt8]) -> ReceivedPart {
        var reader = MIMEReader(bytes.prefix(longestMessage))
        // A message that is cut off ends each part that is open.
        return reader.part(depth: 0).part
    }

    /// A line that ends a part.
    private struct Delimiter {
        /// Of whose parts, as an index of ``boundaries``.
        var level: Int
        var isLast: Bool
    }

    /// The part that begins here, and what ended it.
    private mutating func part(depth: Int) -> (part: ReceivedPart, end: Delimiter?) {
        count += 1
        let fields = ReceivedFields(reading: &lines)
        let type = ContentType(fields.bytes("content-type") ?? [])
        let start = lines.place
        guard type.isMultipart, depth < Self.deepest, let boundary = type.parameters["boundary"], !boundary.isEmpty,
            boundary.count <= Self.longestBoundary
        else {
            let (body, end) = body()
            return (ReceivedPart(fields: fields, type: type, body: body), end)
        }
        boundaries.append(boundary)
        let level = boundaries.count - 1
        var parts: [ReceivedPart] = []
        var (body, end) = body()
        while let delimiter = end, delimiter.level == level, !delimiter.isLast {
            if count < Self.mostParts {
                let inner = part(depth: depth + 1)
                parts.append(inner.part)
                end = inner.end
            } else {
                (_, end) = self.body()
            }
        }
        boundaries.removeLast()
        if end?.level == level { (_, end) = self.body() }
        // What announces parts and has none is read as a text, up to where it ends.
        if parts.isEmpty { body = bytes[start..<max(start, body.endIndex)] }
        return (ReceivedPart(fields: fields, type: type, body: body, parts: parts), end)
    }

    /// What is before the next boundary, and that boundary; nil at the end of the message.
    private mutating func body() -> (ArraySlice<UInt8>, Delimiter?) {
        let start = lines.place
        while let line = lines.next() {
            if let delimiter = delimiter(line) { return (bytes[start..<line.startIndex], delimiter) }
        }
        return (bytes[start...], nil)
    }

    private func delimiter(_ line: ArraySlice<UInt8>) -> Delimiter? {
        guard !boundaries.isEmpty, line.count > 2, line.starts(with: "--".utf8) else { return nil }
        let line = line.dropFirst(2)
        for level in boundaries.indices.reversed() where line.starts(with: boundaries[level]) {
            let rest = line.dropFirst(boundaries[level].count)
            if rest.allSatisfy(ByteLines.isBlank) { return Delimiter(level: level, isLast: false) }
            if rest.starts(with: "--".utf8), rest.dropFirst(2).allSatisfy(ByteLines.isBlank) {
                return Delimiter(level: level, isLast: true)
            }
        }
        return nil
    }
}

/// A part of a message, or the whole.
struct ReceivedPart {
    var fields: ReceivedFields
    var type: ContentType
    /// As it was sent; of a multipart, what precedes its parts.
    var body: ArraySlice<UInt8>
    var parts: [ReceivedPart] = []

    /// Only so many bytes of a text are looked at.
    static let longestText = 256 << 10

    /// It and what it has, from the first to the last.
    var all: [ReceivedPart] { [self] + parts.flatMap(\.all) }

    /// Its text in UTF-8, as far as its charset is one that is known.
    var text: [UInt8] {
        let content = TransferEncoding.decode(
            body, as: fields.bytes("content-transfer-encoding") ?? [], limit: Self.longestText)
        return Charset.utf8(content[...], charset: type.parameters["charset"].map(Charset.init(name:)))
    }

    /// The header of the message that it has: `message/rfc822`, or its header alone.
    var quotedFields: ReceivedFields {
        let content = TransferEncoding.decode(
            body, as: fields.bytes("content-transfer-encoding") ?? [], limit: Self.longestText)
        var lines = ByteLines(content[...])
        return ReceivedFields(reading: &lines)
    }
}

/// The lines of a text, whichever way they end: CRLF, LF or CR; CR CR LF is one end, which some gateways make of CRLF.
struct ByteLines: Sequence, IteratorProtocol {
    private let bytes: ArraySlice<UInt8>
    /// Where the next line begins.
    private(set) var place: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard place < bytes.endIndex else { return nil }
        let start = place
        let (end, following) = bytes.withUnsafeBufferPointer { buffer in
            let first = start - bytes.startIndex
            var end = first
            while end < buffer.count, buffer[end] != 0x0A, buffer[end] != 0x0D { end += 1 }
            var following = end + 1
            if end < buffer.count, buffer[end] == 0x0D {
                if following < buffer.count, buffer[following] == 0x0A {
                    following += 1
                } else if following + 1 < buffer.count, buffer[following] == 0x0D, buffer[following + 1] == 0x0A {
                    following += 2
                }
            }
            return (end, Swift.min(following, buffer.count))
        }
        place = bytes.startIndex + following
        return bytes[start..<(bytes.startIndex + end)]
    }

    /// Goes back to a line.
    mutating func goBack(to line: ArraySlice<UInt8>) { place = line.startIndex }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension ArraySlice<UInt8> {
    /// Without blanks at both ends.
    var trimmed: Self {
        let start = drop(while: ByteLines.isBlank)
        guard let last = start.lastIndex(where: { !ByteLines.isBlank($0) }) else { return start.suffix(0) }
        return start[...last]
    }

    /// With A to Z in lower case.
    var folded: [UInt8] { map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 } }
}
