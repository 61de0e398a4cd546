/// A key that is whatever the wire says.
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

    /// Whether two keys are the same bytes. Swift's `==` holds the Kelvin sign for a K; whatever it holds for an ASCII text
    /// that is none is longer.
    static func same(_ left: String, _ right: String) -> Bool { left == right && left.utf8.count == right.utf8.count }

    /// Whether a type's keys include this one.
    static func knows<Keys: CodingKey>(_ key: String, _ keys: Keys.Type) -> Bool {
        Keys(stringValue: key).map { same($0.stringValue, key) } ?? false
    }

    /// One step of a JSON pointer (RFC 6901, 3); a long key is cut.
    static func escaped(_ key: String) -> String {
        let short = Shown.short(key)
        guard short.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return short }
        return short.reduce(into: "") { result, character in
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.append(character)
            }
        }
    }

    static func pointer(_ path: [any CodingKey]) -> String {
        path.map { "/" + escaped($0.stringValue) }.joined()
    }
}

/// No keys at all: what a type without properties knows.
enum NoKey: CodingKey {}
