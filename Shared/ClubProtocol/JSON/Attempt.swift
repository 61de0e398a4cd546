/// An element of a list whose elements are answered one by one: an invalid one does not make the request invalid. Its
/// schema is that of the value.
package enum Attempt<Value: Codable & Sendable>: Codable, Sendable {
    case valid(Value)
    /// What is wrong, with pointers into the whole document.
    case invalid([Problem.Field])

    package init(from decoder: any Decoder) throws {
        do {
            self = .valid(try decoder.singleValueContainer().decode(Value.self))
        } catch let error as InvalidJSON {
            self = .invalid(error.fields)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .valid(let value): try container.encode(value)
        case .invalid: try container.encodeNil()
        }
    }
}
