import ClubProtocol

/// The header of a received message (RFC 5322, 2.2), its fields unfolded.
struct ReceivedFields {
    private static let mostFields = 500
    /// In bytes. What is longer is cut.
    static let longestValue = 8192
    private static let longestName = 76

    /// Names in lower case.
    private(set) var all: [(name: String, value: [UInt8])] = []

    var isEmpty: Bool { all.isEmpty }

    /// Reads up to an empty line, which is taken, or up to a line that is no field.
    ///
    /// - Parameter isUnfolded: whether such a line belongs to the field before it: what servers say is often copied into
    ///   reports without being folded.
    init(reading lines: inout ByteLines, isUnfolded: Bool = false) {
        while let line = lines.next() {
            if line.isEmpty { return }
            if ByteLines.isBlank(line[line.startIndex]) {
                // Some programs write blanks into the empty line after the header.
                guard !all.isEmpty, !line.trimmed.isEmpty else { return }
                append(line)
            } else if let field = Self.field(line) {
                if all.count < Self.mostFields { all.append(field) }
            } else if isUnfolded, !all.isEmpty {
                append(line)
            } else if !line.starts(with: "From ".utf8), !line.starts(with: ">From ".utf8) {
                lines.goBack(to: line)
                return
            }
        }
    }

    /// Adds a line to the last value.
    private mutating func append(_ line: ArraySlice<UInt8>) {
        guard all[all.count - 1].value.count < Self.longestValue else { return }
        all[all.count - 1].value += [0x20] + line.trimmed.prefix(Self.longestValue)
    }

    /// A line that begins a field. Old programs have blanks before the colon.
    static func field(_ line: ArraySlice<UInt8>) -> (name: String, value: [UInt8])? {
        guard let colon = line.prefix(longestName).firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = line[..<colon].trimmed
        guard !name.isEmpty, name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return (String(decoding: name.folded, as: UTF8.self), Array(line[(colon + 1)...].trimmed.prefix(longestValue)))
    }

    /// The value of the first field with a name.
    func bytes(_ name: String) -> [UInt8]? { all.first { $0.name.hasSameBytes(as: name) }?.value }

    /// The values of all fields with these names.
    func all(_ names: String...) -> [[UInt8]] {
        all.filter { field in names.contains { field.name.hasSameBytes(as: $0) } }.map(\.value)
    }

    /// The value with its encoded words read (RFC 2047).
    func text(_ name: String) -> [UInt8]? { bytes(name).map { ReceivedWords.decode($0[...]) } }
}

/// The value of `Content-Type` (RFC 2045, 5.1).
struct ContentType {
    /// `text/plain`, in lower case.
    private(set) var name = "text/plain"
    /// By names in lower case.
    private(set) var parameters: [String: [UInt8]] = [:]

    private static let mostParameters = 50

    var isMultipart: Bool { name.hasBytePrefix("multipart/") }
    var isText: Bool { name.hasBytePrefix("text/") }

    init(_ value: [UInt8]) {
        var rest = value[...]
        let type = rest.prefix { $0 != UInt8(ascii: ";") }.trimmed
        // Without a subtype it is the default, as RFC 2045 (5.2) has it for what cannot be read.
        guard type.contains(UInt8(ascii: "/")) else { return }
        name = String(decoding: type.prefix(127).folded, as: UTF8.self)
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        var pieces: [String: [(index: Int, value: [UInt8])]] = [:]
        var count = 0
        while !rest.isEmpty, count < Self.mostParameters {
            count += 1
            rest = rest.drop { $0 == UInt8(ascii: ";") || ByteLines.isBlank($0) }
            let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest[key.endIndex...]
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest.removeFirst()
            let value = Self.value(&rest)
            let (name, index, isEncoded) = Self.parts(of: key.trimmed)
            pieces[name, default: []].append((index, isEncoded ? Self.unescaped(value, isFirst: index == 0) : value))
        }
        for (name, values) in pieces {
            // A parameter that is given twice is not one in pieces: its first value counts.
            let isWhole = values.allSatisfy { $0.index == 0 }
            parameters[name] =
                isWhole ? values[0].value : values.sorted { $0.index < $1.index }.flatMap(\.value)
        }
    }

    /// Takes a token or a quoted string.
    private static func value(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        rest = rest.drop(while: ByteLines.isBlank)
        guard rest.first == UInt8(ascii: "\"") else {
            let token = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest[token.endIndex...]
            return Array(token.trimmed)
        }
        rest.removeFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        return value
    }

    /// `boundary*1*`: a name, the place of a piece, and whether the value is encoded (RFC 2231, 3 and 4).
    private static func parts(of key: ArraySlice<UInt8>) -> (name: String, index: Int, isEncoded: Bool) {
        let parts = key.prefix(76).split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        let name = String(decoding: (parts.first ?? []).folded, as: UTF8.self)
        let index = parts.dropFirst().first.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        return (name, index, parts.count > 1 && parts.last?.isEmpty == true)
    }

    /// `us-ascii'fr'a%20b` (RFC 2231, 4). The charset is left out: what we look up is ASCII.
    private static func unescaped(_ value: [UInt8], isFirst: Bool) -> [UInt8] {
        var rest = value[...]
        let quotes = rest.indices.filter { rest[$0] == UInt8(ascii: "'") }
        if isFirst, quotes.count >= 2 { rest = rest[(quotes[1] + 1)...] }
        return TransferEncoding.unescaped(rest, escape: UInt8(ascii: "%"))
    }
}
