/// How much one field of a request may hold: looked at before anything of the field is read, and written into the OpenAPI document.
package enum FieldBound: Hashable, Sendable {
    /// How many elements a list may have as it is sent: what is said twice counts twice.
    case elements(ClosedRange<Int>)
    /// A whole number's least and most.
    case values(ClosedRange<Int>)

    /// A list's most elements, where none are enough.
    package static func most(_ count: Int) -> FieldBound { .elements(0...count) }

    /// What the numbers of versions go to: PostgreSQL's `integer`.
    package static let version = FieldBound.values(1...Int(Int32.max))

    /// The most elements that the bound allows to a list; nil for a number's.
    package var mostElements: Int? { if case .elements(let range) = self { range.upperBound } else { nil } }

    /// What is wrong with a list of so many elements; fits behind the name of a field.
    func refusal(ofCount count: Int) -> String? {
        guard case .elements(let range) = self, !range.contains(count) else { return nil }
        return range.lowerBound == 0
            ? "are more than \(range.upperBound)" : "must be \(range.lowerBound) to \(range.upperBound)"
    }

    /// What is wrong with a number.
    ///
    /// - Parameter value: nil for one that no integer holds.
    func refusal(of value: Int?) -> String? {
        guard case .values(let range) = self, !(value.map(range.contains) ?? false) else { return nil }
        return "must be from \(range.lowerBound) to \(range.upperBound)"
    }

    /// What is wrong with a node; nil, too, for one of another type, which its own type refuses.
    func refusal(of node: JSONNode) -> String? {
        switch node {
        case .array(let elements): return refusal(ofCount: elements.count)
        case .integer(let value): return refusal(of: value)
        case .decimal(let text):
            do {
                return refusal(of: Int(exactly: try JSONNumber.integer(text)))
            } catch {
                return error == .range ? refusal(of: nil) : nil
            }
        case .null, .bool, .string, .object: return nil
        }
    }

    /// The schema of a field with what the bound says of it; nil where the field is of another type.
    func applied(to schema: JSONValue) -> JSONValue? {
        guard case .object(var members) = schema else { return nil }
        let type = members["type"]?.string ?? members["type"]?.array?.first?.string
        switch self {
        case .elements(let range):
            guard type == "array" else { return nil }
            if range.lowerBound > 0 { members["minItems"] = .integer(range.lowerBound) }
            members["maxItems"] = .integer(range.upperBound)
        case .values(let range):
            guard type == "integer" else { return nil }
            members["minimum"] = .integer(range.lowerBound)
            members["maximum"] = .integer(range.upperBound)
        }
        return .object(members)
    }
}

/// A shape of a request that has lists or whole numbers. Each of them has its bound: a test walks the OpenAPI documents for one
/// that has none.
package protocol BoundedFields: Decodable {
    /// By the names of the fields, as they are on the wire.
    static var bounds: KeyValuePairs<String, FieldBound> { get }
}
