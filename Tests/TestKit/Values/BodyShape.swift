package import ClubProtocol

/// The body of one operation, as described by an OpenAPI document.
package struct BodyShape: Sendable {
    package struct Field: Sendable {
        /// The pointer of the value in ``BodyShape/sample``: `/contributions/0/amount/amount`.
        package let pointer: String
        package let schema: JSONValue
    }

    /// A value that the schema allows, with every optional property, and one element in each list.
    package let sample: JSONValue
    /// Its lists.
    package let lists: [Field]
    /// Its integers.
    package let numbers: [Field]

    package init(_ schema: JSONValue?, in document: JSONValue) {
        sample = Self.sample(of: schema, in: document)
        var lists: [Field] = []
        var numbers: [Field] = []
        Self.walk(schema, document) { field in
            switch Self.type(of: field.schema) {
            case "array": lists.append(field)
            case "integer": numbers.append(field)
            default: break
            }
        }
        self.lists = lists
        self.numbers = numbers
    }

    /// The sample with the value at an existing place replaced.
    package func with(_ value: JSONValue, at pointer: String) -> JSONValue {
        Self.replace(sample, pointer.split(separator: "/").map { String($0) }[...], value)
    }

    /// The sample as JSON, with a list of copies of its one element.
    package func json(copies count: Int, at list: Field) throws -> [UInt8] {
        let element = list.pointer.split(separator: "/").reduce(sample) { value, step in
            value[String(step)] ?? value.array?.first ?? .null
        }.array?.first
        // Encoded only once, because there are a hundred thousand copies.
        let copy = try String(decoding: WireJSON.encode(element ?? .null), as: UTF8.self)
        let body = try String(decoding: WireJSON.encode(with(.string("#"), at: list.pointer)), as: UTF8.self)
        let copies = Array(repeating: copy, count: count).joined(separator: ",")
        return Array(body.replacing("\"#\"", with: "[\(copies)]", maxReplacements: 1).utf8)
    }

    private static func replace(_ value: JSONValue, _ steps: ArraySlice<String>, _ other: JSONValue) -> JSONValue {
        guard let step = steps.first else { return other }
        switch value {
        case .object(var members):
            members[step] = replace(members[step] ?? .null, steps.dropFirst(), other)
            return .object(members)
        case .array(let values): return .array(values.map { replace($0, steps.dropFirst(), other) })
        default: return value
        }
    }

    private static func members(_ value: JSONValue?) -> [String: JSONValue] {
        if case .object(let members)? = value { members } else { [:] }
    }

    private static func type(of schema: JSONValue) -> String? {
        schema["type"]?.string ?? schema["type"]?.array?.first?.string
    }

    private static func named(_ schema: JSONValue?, in document: JSONValue) -> JSONValue? {
        guard let name = schema?["$ref"]?.string?.split(separator: "/").last else { return schema }
        return named(document["components"]?["schemas"]?[String(name)], in: document)
    }

    private static func sample(of schema: JSONValue?, in document: JSONValue) -> JSONValue {
        guard let schema = named(schema, in: document) else { return .string("x") }
        if let choice = schema["enum"]?.array?.first ?? schema["examples"]?.array?.first { return choice }
        if let first = (schema["anyOf"] ?? schema["oneOf"])?.array?.first { return sample(of: first, in: document) }
        switch type(of: schema) {
        case "object": return .object(members(schema["properties"]).mapValues { sample(of: $0, in: document) })
        case "array": return .array([sample(of: schema["items"], in: document)])
        case "integer", "number": return schema["minimum"] ?? .integer(1)
        case "boolean": return .bool(true)
        default: return .string("x")
        }
    }

    private static func walk(
        _ schema: JSONValue?, _ document: JSONValue, at pointer: String = "", _ found: (Field) -> Void
    ) {
        guard let schema = named(schema, in: document) else { return }
        found(Field(pointer: pointer, schema: schema))
        for (name, property) in members(schema["properties"]).sorted(by: { $0.key < $1.key }) {
            walk(property, document, at: "\(pointer)/\(name)", found)
        }
        if let items = schema["items"] { walk(items, document, at: "\(pointer)/0", found) }
        if let first = (schema["anyOf"] ?? schema["oneOf"])?.array?.first { walk(first, document, at: pointer, found) }
    }
}
