/// A parsed JSON value. Other numbers than plain integers keep their digits until their type is known.
enum JSONNode {
    case null
    case bool(Bool)
    /// Without fraction or exponent, and in range.
    case integer(Int)
    /// Any other number, as text: `-0`, `1.5`, `1e3`, or an integer beyond 64 bits.
    case decimal(String)
    case string(String)
    case array([JSONNode])
    case object([Member])

    struct Member {
        var key: String
        var value: JSONNode
    }

    var isNull: Bool { if case .null = self { true } else { false } }
}

/// Why a number does not fit the requested type.
enum NumberFault: Error {
    case fraction
    case range
}

/// Parses the text of a JSON number exactly.
enum JSONNumber {
    /// The integer value of the text; `1.0` and `1e2` are integers, as in JSON Schema.
    ///
    /// Wide enough for every integer type up to `UInt64`. The text must be one that the parser accepted.
    static func integer(_ text: String) throws(NumberFault) -> Int128 {
        var digits: [UInt8] = []
        var scale = 0
        var exponent = 0
        var exponentSign = 1
        var part = Part.whole
        for byte in text.utf8 {
            switch (part, byte) {
            case (_, UInt8(ascii: ".")): part = .fraction
            case (_, UInt8(ascii: "e")), (_, UInt8(ascii: "E")): part = .exponent
            case (.exponent, UInt8(ascii: "-")): exponentSign = -1
            case (_, UInt8(ascii: "-")), (_, UInt8(ascii: "+")): continue
            case (.exponent, _):
                // With a larger exponent, any value is out of range or a fraction.
                exponent = min(exponent * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000_000)
            case (_, _):
                if part == .fraction { scale -= 1 }
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte - UInt8(ascii: "0")) }
            }
        }
        scale += exponentSign * exponent
        while scale < 0, digits.last == 0 {
            digits.removeLast()
            scale += 1
        }
        guard !digits.isEmpty else { return 0 }
        guard scale >= 0 else { throw .fraction }
        // 10^37 is the largest power of ten of which Int128 holds every single-digit multiple.
        guard digits.count + scale <= 37 else { throw .range }
        var value: Int128 = 0
        for digit in digits { value = value * 10 + Int128(digit) }
        for _ in 0..<scale { value *= 10 }
        return text.utf8.first == UInt8(ascii: "-") ? -value : value
    }

    /// The nearest double; an infinite one is out of range.
    static func double(_ text: String) throws(NumberFault) -> Double {
        guard let value = Double(text), value.isFinite else { throw .range }
        return value
    }

    private enum Part { case whole, fraction, exponent }
}

extension JSONValue {
    /// The same value, with its numbers converted from text.
    init(_ node: JSONNode) throws(NumberFault) {
        switch node {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .decimal(let text): self = .number(try JSONNumber.double(text))
        case .string(let text): self = .string(text)
        case .array(let nodes):
            var values: [JSONValue] = []
            values.reserveCapacity(nodes.count)
            for node in nodes { values.append(try JSONValue(node)) }
            self = .array(values)
        case .object(let members):
            var values: [String: JSONValue] = [:]
            values.reserveCapacity(members.count)
            for member in members { values[member.key] = try JSONValue(member.value) }
            self = .object(values)
        }
    }
}
