/// The schemas of all types in one document, each named type once under `components/schemas`.
final class SchemaBook {
    private(set) var components: [String: JSONValue] = [:]
    private var names: [ObjectIdentifier: String] = [:]
    private var types: [String: ObjectIdentifier] = [:]
    /// The schemas of types without keys.
    private var inline: [ObjectIdentifier: JSONValue] = [:]
    private var samples: [ObjectIdentifier: any Decodable] = [:]

    /// The schema of a type, or a reference to it.
    func schema<T: Decodable>(of type: T.Type) throws -> JSONValue {
        if let source = type as? any SchemaSource.Type { return try source.schema(in: self) }
        if let text = type as? any TextValue.Type { return text.schema.json }
        let id = ObjectIdentifier(type)
        if let name = names[id] { return Self.reference(name) }
        if let schema = inline[id] { return schema }
        let name = try claimName(of: type)
        if let values = Enumeration.values(of: type) {
            let kind = if case .integer? = values.first { "integer" } else { "string" }
            components[name] = .object(["type": .string(kind), "enum": .array(values)])
            return Self.reference(name)
        }
        switch try shape(of: type) {
        case .object(let properties, let required):
            components[name] = Self.object(properties, required: required)
            return Self.reference(name)
        case .single(let schema):
            names[id] = nil
            types[name] = nil
            inline[id] = schema
            return schema
        }
    }

    /// The shape of a type, without registering a name: for the parameters of a query or a path.
    func shape<T: Decodable>(of type: T.Type) throws -> SchemaShape {
        let probe = SchemaProbe(type, book: self)
        do {
            samples[ObjectIdentifier(type)] = try T(from: probe)
        } catch let error as OpenAPI.Underivable {
            throw error
        } catch {
            throw OpenAPI.Underivable("\(String(reflecting: type)) refuses the samples it asked for: \(error)")
        }
        guard let bounded = type as? any BoundedFields.Type, case .object(let properties, let required) = probe.shape
        else { return probe.shape }
        return .object(properties: try Self.bound(properties, of: bounded), required: required)
    }

    /// The properties of a type with its bounds added.
    private static func bound(
        _ properties: [String: JSONValue], of type: any BoundedFields.Type
    ) throws -> [String: JSONValue] {
        try type.bounds.reduce(into: properties) { properties, bound in
            guard let schema = properties[bound.key].flatMap(bound.value.applied) else {
                throw OpenAPI.Underivable("\(String(reflecting: type)) has a bound for \(bound.key), no such field")
            }
            properties[bound.key] = schema
        }
    }

    /// A sample value of a type whose schema was requested before.
    func sample<T: Decodable>(of type: T.Type) throws -> T {
        let sample: Any?
        if let source = type as? any SchemaSource.Type {
            sample = try source.sample(in: self)
        } else if let text = type as? any TextValue.Type {
            sample = try Self.example(of: text)
        } else {
            sample = Enumeration.first(of: type) ?? samples[ObjectIdentifier(type)]
        }
        guard let value = sample as? T else {
            throw OpenAPI.Underivable("\(String(reflecting: type)) has no sample: it needs itself, or lists no value")
        }
        return value
    }

    private static func example(of type: any TextValue.Type) throws -> any TextValue {
        do {
            return try type.init(validating: type.schema.example)
        } catch {
            throw OpenAPI.Underivable("the example of \(String(reflecting: type)) \(error.reason)")
        }
    }

    // MARK: Requests

    /// Closes the objects in a request body's schema: there, an unknown key is an error.
    func close(_ schema: JSONValue) {
        var open = [schema]
        var seen: Set<String> = []
        while let next = open.popLast() {
            for name in Self.references(in: next) where seen.insert(name).inserted {
                guard case .object(var members)? = components[name] else { continue }
                if members["properties"] != nil { members["additionalProperties"] = .bool(false) }
                components[name] = .object(members)
                open.append(.object(members))
            }
        }
    }

    private static func references(in schema: JSONValue) -> [String] {
        switch schema {
        case .object(let members):
            members.flatMap { key, value in
                if key == "$ref", let name = value.string?.split(separator: "/").last { return [String(name)] }
                return references(in: value)
            }
        case .array(let values): values.flatMap { references(in: $0) }
        case .null, .bool, .integer, .number, .string: []
        }
    }

    // MARK: Parts

    static func reference(_ name: String) -> JSONValue { .object(["$ref": .string("#/components/schemas/\(name)")]) }

    private static func object(_ properties: [String: JSONValue], required: Set<String>) -> JSONValue {
        var members: [String: JSONValue] = ["type": .string("object"), "properties": .object(properties)]
        if !required.isEmpty { members["required"] = .array(required.sorted().map { .string($0) }) }
        return .object(members)
    }

    private func claimName(of type: Any.Type) throws -> String {
        let name = TypeName.component(String(reflecting: type))
        let id = ObjectIdentifier(type)
        guard types[name] == nil else { throw OpenAPI.Underivable("two types would be called \(name)") }
        types[name] = id
        names[id] = name
        return name
    }
}

/// The values of an enumeration of texts or integers.
private enum Enumeration {
    static func values(of type: Any.Type) -> [JSONValue]? {
        (type as? any (CaseIterable & RawRepresentable).Type).flatMap { list($0) }
    }

    static func first(of type: Any.Type) -> Any? {
        (type as? any (CaseIterable & RawRepresentable).Type).flatMap { firstCase($0) }
    }

    private static func list<E: CaseIterable & RawRepresentable>(_ type: E.Type) -> [JSONValue]? {
        let texts = E.allCases.compactMap { $0.rawValue as? String }.map { JSONValue.string($0) }
        let values = texts.isEmpty ? E.allCases.compactMap { $0.rawValue as? Int }.map { .integer($0) } : texts
        return values.isEmpty ? nil : values
    }

    private static func firstCase<E: CaseIterable>(_ type: E.Type) -> Any? { E.allCases.first }
}

/// Type names as written in the document.
enum TypeName {
    /// `Club.Event` → `Event`, `Club.Event.State` → `EventState`, `Club.Page<Club.Event>` → `PageOfEvent`.
    static func component(_ reflected: String) -> String {
        var name = ""
        // Private and local types are reflected with a part in brackets that varies from run to run.
        for argument in withoutBrackets(reflected).split(whereSeparator: { $0 == "," || $0 == " " }) {
            if !name.isEmpty { name += "And" }
            for (index, path) in argument.split(separator: "<").enumerated() {
                if index > 0 { name += "Of" }
                let words = path.split(separator: ">", omittingEmptySubsequences: true)
                for (index, word) in words.enumerated() {
                    // The first component of a path is its module; after a closing bracket a path continues.
                    name += word.split(separator: ".").dropFirst(index == 0 ? 1 : 0).joined()
                }
            }
        }
        return name
    }

    /// `ClubProtocol.RegisterForEvent` → `registerForEvent`.
    static func operation(_ reflected: String) -> String {
        let name = component(reflected)
        return name.prefix(1).lowercased() + name.dropFirst()
    }

    private static func withoutBrackets(_ text: String) -> String {
        var depth = 0
        return text.filter { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return depth == 0 && character != ")"
        }
    }
}
