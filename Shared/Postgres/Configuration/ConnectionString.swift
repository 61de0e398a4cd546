/// Reads a connection string as libpq's `PQconninfoParse` does: a URI, or keywords with values (PostgreSQL
/// documentation, 34.1.1). A later value of the same keyword wins.
struct ConnectionString {
    typealias InvalidURL = PostgresConfiguration.InvalidURL

    /// By libpq's keywords. A value may be empty, which means the default.
    private(set) var values: [String: String] = [:]

    static func parse(_ text: String) throws(InvalidURL) -> [String: String] {
        let bytes = Array(text.utf8)
        guard !bytes.contains(0) else { throw InvalidURL(.malformed) }
        var string = ConnectionString()
        if let scheme = ["postgresql://", "postgres://"].first(where: { bytes.starts(with: $0.utf8) }) {
            try string.readURI(bytes.dropFirst(scheme.utf8.count))
        } else {
            try string.readPairs(bytes[...])
        }
        for (keyword, value) in string.values { try ConnectionKeyword.check(keyword, value) }
        return string.values
    }

    mutating func set(_ keyword: some Collection<UInt8>, _ value: some Collection<UInt8>) throws(InvalidURL) {
        // A keyword of earlier versions.
        if keyword.elementsEqual("requiressl".utf8) {
            values["sslmode"] = value.first == UInt8(ascii: "1") ? "require" : "prefer"
            return
        }
        guard let keyword = ConnectionKeyword.all.keys.first(where: { keyword.elementsEqual($0.utf8) }) else {
            throw InvalidURL(.unknownKeyword)
        }
        guard let value = String(validating: value, as: UTF8.self) else { throw InvalidURL(.malformed) }
        values[keyword] = value
    }

    // MARK: - Keywords with values

    /// `host=/tmp dbname = 'a b'`: spaces surround pairs and equals signs, a quoted value may contain them, and a
    /// backslash escapes the byte after it.
    private mutating func readPairs(_ text: ArraySlice<UInt8>) throws(InvalidURL) {
        var rest = text.drop(while: ConnectionString.isSpace)
        while !rest.isEmpty {
            let keyword = rest.prefix { $0 != UInt8(ascii: "=") && !ConnectionString.isSpace($0) }
            rest = rest[keyword.endIndex...].drop(while: ConnectionString.isSpace)
            guard rest.popFirst() == UInt8(ascii: "=") else { throw InvalidURL(.malformed) }
            rest = rest.drop(while: ConnectionString.isSpace)
            let isQuoted = rest.first == UInt8(ascii: "'")
            let value = isQuoted ? try readQuoted(&rest) : readPlain(&rest)
            try set(keyword, value)
            rest = rest.drop(while: ConnectionString.isSpace)
        }
    }

    private func readPlain(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        while let byte = rest.popFirst(), !ConnectionString.isSpace(byte) {
            // A backslash at the end stands for nothing.
            guard let byte = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte else { break }
            value.append(byte)
        }
        return value
    }

    private func readQuoted(_ rest: inout ArraySlice<UInt8>) throws(InvalidURL) -> [UInt8] {
        var value: [UInt8] = []
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "'") { return value }
            guard let byte = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte else { break }
            value.append(byte)
        }
        throw InvalidURL(.malformed)
    }

    /// C's `isspace`.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
    }
}
