/// The variables of ``Operation/path``. A path with one variable has that value as its type, such as `Expert.ID`; one
/// with several has a type with a property for each, whose coding keys are the names in the braces.
package protocol PathVariables: Codable, Sendable {
    /// - Parameters:
    ///   - names: the variables' names, in the order of the path.
    ///   - values: percent-decoded, one for each name.
    /// - Throws: for values that no path can have, which is a 404.
    init(names: [String], values: [String]) throws

    /// The value of each variable by its name, not percent-encoded.
    ///
    /// - Throws: `EncodingError` for a value without a text.
    func values(of names: [String]) throws -> [String: String]
}

extension Empty: PathVariables {
    package init(names: [String], values: [String]) throws {
        guard names.isEmpty else { throw Problem(.notFound) }
    }
}

/// A value that can be a path's only variable.
package protocol PathVariable: PathVariables {
    /// - Parameter text: percent-decoded; any text that is safe to compare (``StreamSafe``), without U+0000.
    init(variable text: String) throws
    var variable: String { get }
}

extension PathVariable {
    package init(names: [String], values: [String]) throws {
        guard values.count == 1, !values[0].hasByte(0), StreamSafe.accepts(values[0]) else {
            throw Problem(.notFound)
        }
        try self.init(variable: values[0])
    }

    package func values(of names: [String]) throws -> [String: String] {
        names.count == 1 ? [names[0]: variable] : [:]
    }
}

extension TextValue {
    package init(variable text: String) throws { try self.init(validating: text) }
    package var variable: String { text }
}

extension String: PathVariable {
    package init(variable text: String) { self = text }
    package var variable: String { self }
}
