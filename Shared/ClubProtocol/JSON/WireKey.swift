/// A coding key with any name.
struct WireKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }

    /// Whether a key type includes this key.
    static func knows<Keys: CodingKey>(_ key: String, _ keys: Keys.Type) -> Bool {
        key.couldBeName && Keys(stringValue: key) != nil
    }

    /// One step of a JSON pointer (RFC 6901, 3); a long key is truncated.
    static func escaped(_ key: String) -> String {
        let short = Shown.short(key)
        guard short.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return short }
        return short.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    static func pointer(_ path: [any CodingKey]) -> String {
        path.map { "/" + escaped($0.stringValue) }.joined()
    }
}

/// The keys of a type without properties.
enum NoKey: CodingKey {}
