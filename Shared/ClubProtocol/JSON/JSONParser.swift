/// Why bytes are refused as JSON. The reason is a sentence for people and quotes nothing but a key.
struct MalformedJSON: Error {
    var reason: String
    /// If a limit was exceeded, the steps to the place, innermost first; nil for invalid JSON. With steps, the reason
    /// is a phrase to follow a field's name.
    private(set) var steps: [JSONNodeDecoder.Step]?

    init(_ reason: String) {
        self.reason = reason
    }

    static func excess(_ reason: String) -> MalformedJSON {
        var error = MalformedJSON(reason)
        error.steps = []
        return error
    }

    /// The same error, as seen from the parent.
    func under(_ step: @autoclosure () -> JSONNodeDecoder.Step) -> MalformedJSON {
        guard steps != nil else { return self }
        var error = self
        error.steps?.append(step())
        return error
    }

    /// The JSON pointer to the place where a limit was exceeded; nil for invalid JSON.
    var pointer: String? { steps.map { JSONNodeDecoder.pointer(of: $0.reversed()) } }
}

/// Size limits of one document. A parsed value can take a hundred times the memory of its bytes, so a limit on bytes
/// is not enough. Parsing stops as soon as one of these is exceeded.
struct JSONLimits {
    /// Keys of one object.
    var members: Int
    /// Elements of one array.
    var elements: Int
    /// All values together: texts, numbers, objects, arrays.
    var values: Int

    /// For requests. Our largest type has 19 keys; our longest lists have 1,000 elements of three values.
    static let request = JSONLimits(members: 256, elements: 1000, values: 10_000)
    /// For documents written by us or our peers: up to 16 MiB. A page has 200 resources; a document of the database
    /// or the operator has more. One list may be as long as the whole document.
    static let document = JSONLimits(members: 100_000, elements: 1_000_000, values: 1_000_000)
}

/// A strict parser for RFC 8259: UTF-8 only, no byte order mark, no duplicate keys, no lone surrogates, limited
/// nesting.
struct JSONParser {
    /// The maximum nesting of arrays and objects: our documents need five, and the stack can hold thousands.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var index = 0
    /// The number of values started so far.
    private var count = 0

    private init(_ bytes: [UInt8], _ limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Parses the single value that the bytes contain.
    static func parse(_ bytes: [UInt8], within limits: JSONLimits) throws(MalformedJSON) -> JSONNode {
        var parser = JSONParser(bytes, limits)
        parser.skipBlanks()
        guard parser.index < bytes.count else { throw MalformedJSON("The JSON is empty.") }
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.index == bytes.count else { throw MalformedJSON("Something follows the JSON value.") }
        return value
    }

    private static let invalid = MalformedJSON("The body is not valid JSON.")

    /// The byte at the index; at the end 0, which is not valid anywhere outside strings.
    private var current: UInt8 { index < bytes.count ? bytes[index] : 0 }

    private mutating func skipBlanks() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(MalformedJSON) -> JSONNode {
        count += 1
        guard count <= limits.values else {
            throw .excess("exceeds the \(limits.values) values that a document may have")
        }
        switch current {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw Self.invalid
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONNode) throws(MalformedJSON) -> JSONNode {
        let end = index + word.utf8CodeUnitCount
        guard end <= bytes.count, word.withUTF8Buffer({ bytes[index..<end].elementsEqual($0) }) else {
            throw Self.invalid
        }
        index = end
        return value
    }

    // MARK: Arrays and objects

    private mutating func array(depth: Int) throws(MalformedJSON) -> JSONNode {
        try enter(depth)
        var values: [JSONNode] = []
        if current == UInt8(ascii: "]") {
            index += 1
            return .array(values)
        }
        while true {
            guard values.count < limits.elements else { throw .excess("are more than \(limits.elements)") }
            do throws(MalformedJSON) {
                values.append(try value(depth: depth))
            } catch {
                throw error.under(.index(values.count))
            }
            if try !another(before: UInt8(ascii: "]")) { return .array(values) }
        }
    }

    private mutating func object(depth: Int) throws(MalformedJSON) -> JSONNode {
        try enter(depth)
        var members: [JSONNode.Member] = []
        if current == UInt8(ascii: "}") {
            index += 1
            return .object(members)
        }
        var many: Set<ByteKey> = []
        while true {
            guard current == UInt8(ascii: "\"") else { throw Self.invalid }
            guard members.count < limits.members else { throw .excess("has more than \(limits.members) keys") }
            let key = try string()
            // An error in a value is reported by its pointer; a key is itself part of the pointer.
            guard StreamSafe.accepts(key) else { throw MalformedJSON("A key \(StreamSafe.refusal).") }
            // Few keys are compared one by one; many go through a set, which keeps the check cheap.
            if members.count < 16 {
                guard !members.contains(where: { $0.key.hasSameBytes(as: key) }) else { throw Self.duplicate(key) }
            } else {
                if many.isEmpty { many = Set(members.map { ByteKey($0.key) }) }
                guard many.insert(ByteKey(key)).inserted else { throw Self.duplicate(key) }
            }
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw Self.invalid }
            index += 1
            skipBlanks()
            do throws(MalformedJSON) {
                members.append(JSONNode.Member(key: key, value: try value(depth: depth)))
            } catch {
                throw error.under(.key(key))
            }
            if try !another(before: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    /// Skips the opening bracket and the white space after it.
    private mutating func enter(_ depth: Int) throws(MalformedJSON) {
        guard depth <= Self.maximumDepth else {
            throw MalformedJSON("The JSON is nested deeper than \(Self.maximumDepth).")
        }
        index += 1
        skipBlanks()
    }

    /// Skips a comma (true) or the closing bracket (false).
    private mutating func another(before end: UInt8) throws(MalformedJSON) -> Bool {
        skipBlanks()
        let byte = current
        index += 1
        if byte == end { return false }
        guard byte == UInt8(ascii: ",") else { throw Self.invalid }
        skipBlanks()
        return true
    }

    private static func duplicate(_ key: String) -> MalformedJSON {
        MalformedJSON("The key \(Shown.text(key)) appears twice in one object.")
    }

    // MARK: Numbers

    private mutating func number() throws(MalformedJSON) -> JSONNode {
        let start = index
        let negative = current == UInt8(ascii: "-")
        if negative { index += 1 }
        let digits = index
        let small = try wholeDigits()
        var plain = true
        if current == UInt8(ascii: ".") {
            plain = false
            index += 1
            try someDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            plain = false
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            try someDigits()
        }
        // 18 digits always fit. A written minus zero stays text, because a double distinguishes it from zero.
        if plain, index - digits <= 18, !(negative && small == 0) {
            return .integer(negative ? -small : small)
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if plain, let value = Int(text), value != 0 { return .integer(value) }
        return .decimal(text)
    }

    /// Digits without a leading zero. Returns their value, which is valid only if there are few.
    private mutating func wholeDigits() throws(MalformedJSON) -> Int {
        var value = 0
        let start = index
        while case let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            value = value &* 10 &+ Int(byte &- UInt8(ascii: "0"))
            index += 1
        }
        guard index > start, index == start + 1 || bytes[start] != UInt8(ascii: "0") else { throw Self.invalid }
        return value
    }

    private mutating func someDigits() throws(MalformedJSON) {
        let start = index
        while case let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        guard index > start else { throw Self.invalid }
    }

    // MARK: Strings

    private mutating func string() throws(MalformedJSON) -> String {
        index += 1
        let start = index
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                let text = try Self.text(bytes[start..<index])
                index += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw MalformedJSON("A string has a control character that is not escaped.") }
            index += 1
        }
        throw Self.invalid
    }

    /// The rest of a string from its first escape, which is at the index; copies the text between escapes.
    private mutating func escapedString(from start: Int) throws(MalformedJSON) -> String {
        var unescaped = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return try Self.text(unescaped[...])
            case UInt8(ascii: "\\"): try escape(into: &unescaped)
            case 0..<0x20: throw MalformedJSON("A string has a control character that is not escaped.")
            default: unescaped.append(byte)
            }
        }
        throw Self.invalid
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(MalformedJSON) {
        let byte = current
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): unescaped.append(contentsOf: UTF8.encode(try escapedScalar()) ?? .init())
        default: throw Self.invalid
        }
    }

    /// The scalar written by `\uXXXX` or by a surrogate pair; the first `\u` has been consumed.
    private mutating func escapedScalar() throws(MalformedJSON) -> Unicode.Scalar {
        let lone = MalformedJSON("A string has one half of a surrogate pair.")
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800...0xDBFF).contains(first), current == UInt8(ascii: "\\") else { throw lone }
        index += 1
        guard current == UInt8(ascii: "u") else { throw lone }
        index += 1
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw lone }
        return scalar
    }

    private mutating func hexadecimal() throws(MalformedJSON) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hexadecimal.value(current) else { throw Self.invalid }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(MalformedJSON) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MalformedJSON("A string is not valid UTF-8.")
        }
        return text
    }
}

/// How a key or parameter name from a request is shown in a response: quoted, and truncated if long.
enum Shown {
    static func text(_ text: String) -> String { "\"\(short(text))\"" }

    static func short(_ text: String) -> String {
        text.utf8.count <= 100 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(100))) + "…"
    }
}
