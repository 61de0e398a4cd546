/// A path with several variables: a type with a property for each.
extension PathVariables {
    package init(names: [String], values: [String]) throws {
        self = try FlatDecoder(names.indices.map { FlatValue(name: names[$0], texts: [values[$0]]) }).decode(Self.self)
    }

    package func values(of names: [String]) throws -> [String: String] {
        try FlatEncoder.values(of: self).compactMapValues { $0.count == 1 ? $0[0] : nil }
    }
}

extension Int64: PathVariable {
    package init(variable text: String) throws {
        guard FlatShape.isInteger(text), let number = Self(text) else { throw Problem(.notFound) }
        self = number
    }

    package var variable: String { "\(self)" }
}
