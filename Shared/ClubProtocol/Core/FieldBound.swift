/// The size limit of one field in a request: checked before the field is decoded, and shown in the OpenAPI document.
package enum FieldBound: Hashable, Sendable {
    /// How many elements a list may have as sent; duplicates count.
    case elements(ClosedRange<Int>)
    /// The minimum and maximum of an integer.
    case values(ClosedRange<Int>)

    /// A list of at most this many elements, which may be empty.
    package static func most(_ count: Int) -> FieldBound { .elements(0...count) }

    /// The range of version numbers: PostgreSQL's `integer`.
    package static let version = FieldBound.values(1...Int(Int32.max))

    /// The maximum number of elements of a list; nil for an integer's bound.
    package var mostElements: Int? { if case .elements(let range) = self { range.upperBound } else { nil } }

    /// What is wrong with a list of this length, as a phrase to follow the field's name.
    func refusal(ofCount count: Int) -> String? {
        guard case .elements(let range) = self, !range.contains(count) else { return nil }
        return range.lowerBound == 0
            ? "are more than \(range.upperBound)" : "must be \(range.lowerBound) to \(range.upperBound)"
    }

    /// What is wrong with an integer.
    ///
    /// - Parameter value: nil if it does not fit any integer type.
    func refusal(of value: Int?) -> String? {
        guard case .values(let range) = self, !(value.map(range.contains) ?? false) else { return nil }
        return "must be from \(range.lowerBound) to \(range.upperBound)"
    }

    /// The schema of a field with this bound added; nil if the field is of another type.
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

/// A type of a request that has lists or integers. Each of these needs a bound: a test searches the OpenAPI documents
/// for any without one.
package protocol BoundedFields: Decodable {
    /// By the names of the fields on the wire.
    static var bounds: KeyValuePairs<String, FieldBound> { get }
}
