/// A type that provides its own JSON Schema (2020-12) and a sample value.
protocol SchemaSource {
    static func schema(in book: SchemaBook) throws -> JSONValue
    static func sample(in book: SchemaBook) throws -> Self
}

extension Optional: SchemaSource where Wrapped: Decodable {
    static func schema(in book: SchemaBook) throws -> JSONValue {
        let wrapped = try book.schema(of: Wrapped.self)
        guard case .object(var members) = wrapped, case .string(let type)? = members["type"], members["enum"] == nil
        else { return .object(["anyOf": .array([wrapped, .object(["type": .string("null")])])]) }
        members["type"] = .array([.string(type), .string("null")])
        return .object(members)
    }

    static func sample(in book: SchemaBook) -> Wrapped? { nil }
}

extension Array: SchemaSource where Element: Decodable {
    static func schema(in book: SchemaBook) throws -> JSONValue {
        .object(["type": .string("array"), "items": try book.schema(of: Element.self)])
    }

    static func sample(in book: SchemaBook) -> [Element] { [] }
}

extension Dictionary: SchemaSource where Key == String, Value: Decodable {
    static func schema(in book: SchemaBook) throws -> JSONValue {
        .object(["type": .string("object"), "additionalProperties": try book.schema(of: Value.self)])
    }

    static func sample(in book: SchemaBook) -> [String: Value] { [:] }
}

extension Bool: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue { .object(["type": .string("boolean")]) }
    static func sample(in book: SchemaBook) -> Bool { false }
}

extension String: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue { .object(["type": .string("string")]) }
    static func sample(in book: SchemaBook) -> String { "text" }
}

extension Double: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue { .object(["type": .string("number")]) }
    static func sample(in book: SchemaBook) -> Double { 1 }
}

extension Int: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue {
        .object(["type": .string("integer"), "format": .string("int64")])
    }
    static func sample(in book: SchemaBook) -> Int { 1 }
}

extension Int64: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue { Int.schema(in: book) }
    static func sample(in book: SchemaBook) -> Int64 { 1 }
}

extension JSONValue: SchemaSource {
    /// The schema that accepts every value.
    static func schema(in book: SchemaBook) -> JSONValue { .object([:]) }
    static func sample(in book: SchemaBook) -> JSONValue { .null }
}

extension PageLimit: SchemaSource {
    static func schema(in book: SchemaBook) -> JSONValue {
        .object([
            "type": .string("integer"), "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
            "default": .integer(standard.value),
        ])
    }
    static func sample(in book: SchemaBook) -> PageLimit { standard }
}

extension TextSchema {
    var json: JSONValue {
        var members: [String: JSONValue] = ["type": .string("string"), "examples": .array([.string(example)])]
        if let format { members["format"] = .string(format) }
        if let pattern { members["pattern"] = .string(pattern) }
        if let minLength { members["minLength"] = .integer(minLength) }
        if let maxLength { members["maxLength"] = .integer(maxLength) }
        return .object(members)
    }
}
