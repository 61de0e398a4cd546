/// A parameter as sent: its type and its text form, without a terminating zero. `nil` is NULL.
package struct SQLParameter: Sendable, Hashable {
    package var type: PostgresType
    package var text: [UInt8]?
    /// Where its placeholder starts in the statement, in UTF-8 bytes. A fragment is renumbered by these positions rather
    /// than by searching, so that `'$1'` in a literal stays unchanged.
    fileprivate var placeholder = 0

    package init(type: PostgresType, text: [UInt8]?) {
        self.type = type
        self.text = text
    }
}

/// A statement and its bound values.
///
/// `\(value)` binds a value; `\(fragment)` of type `SQL` splices another statement with its own bindings. Nothing
/// else can be inserted: the text comes only from literals in the source code.
package struct SQL: ExpressibleByStringInterpolation, Sendable, Hashable {
    /// The statement with `$1 … $n` in place of the values.
    package private(set) var text: String
    package private(set) var parameters: [SQLParameter]
    /// Whether the server plans the statement for its values each time.
    private(set) var isPlannedByValue = false

    package init(stringLiteral value: String) {
        text = value
        parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.statement
    }

    /// This statement, and every statement that contains it, is planned for its values each time: for a condition
    /// that may match a few rows or most of a table. Other statements are prepared, and soon get a generic plan for
    /// average values (PostgreSQL documentation, `plan_cache_mode`). Costs the planning time.
    package var plannedByValue: SQL {
        var result = self
        result.isPlannedByValue = true
        return result
    }

    /// An empty fragment, to start a list of conditions with.
    package static var empty: SQL { SQL(stringLiteral: "") }

    package var isEmpty: Bool { text.isEmpty }

    package static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.splice(right)
        return sum
    }

    package static func += (left: inout SQL, right: SQL) {
        left.splice(right)
    }

    /// Control statements of this module; their text never contains a caller's values.
    init(control text: String) {
        self.text = text
        parameters = []
    }

    /// Many are empty: between two values, and at the ends.
    fileprivate mutating func append(literal: String) {
        if !literal.isEmpty { text.append(literal) }
    }

    fileprivate mutating func bind(_ parameter: SQLParameter) {
        var parameter = parameter
        parameter.placeholder = text.utf8.count
        parameters.append(parameter)
        let number = parameters.count
        text.append(number <= Self.placeholders.count ? Self.placeholders[number - 1] : "$\(number)")
    }

    /// `$1` and so on, of nearly all statements.
    private static let placeholders = (1...32).map { "$\($0)" }

    fileprivate mutating func splice(_ fragment: SQL) {
        isPlannedByValue = isPlannedByValue || fragment.isPlannedByValue
        guard !fragment.parameters.isEmpty else {
            append(literal: fragment.text)
            return
        }
        let source = fragment.text.utf8
        var position = source.startIndex
        for (index, parameter) in fragment.parameters.enumerated() {
            let mark = source.index(source.startIndex, offsetBy: parameter.placeholder)
            text.append(contentsOf: fragment.text[position..<mark])
            bind(parameter)
            position = source.index(mark, offsetBy: 1 + String(index + 1).utf8.count)
        }
        text.append(contentsOf: fragment.text[position...])
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var statement: SQL

        package init(literalCapacity: Int, interpolationCount: Int) {
            statement = SQL(control: "")
            statement.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            if interpolationCount > 0 { statement.parameters.reserveCapacity(interpolationCount) }
        }

        package mutating func appendLiteral(_ literal: String) {
            statement.append(literal: literal)
        }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            statement.bind(SQLParameter(value))
        }

        /// Binds a value, or NULL of its type.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            if let value {
                statement.bind(SQLParameter(value))
            } else {
                statement.bind(SQLParameter(type: Value.postgresType, text: nil))
            }
        }

        /// Splices another statement with its own bindings.
        package mutating func appendInterpolation(_ fragment: SQL) {
            statement.splice(fragment)
        }
    }
}

extension SQLParameter {
    package init(_ value: some PostgresEncodable) {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        self.init(type: Swift.type(of: value).postgresType, text: bytes)
    }
}

extension Sequence where Element == SQL {
    /// Joins statements, as in `conditions.joined(separator: " and ")`.
    package func joined(separator: SQL) -> SQL {
        var result = SQL.empty
        for (index, element) in self.enumerated() {
            if index > 0 { result += separator }
            result += element
        }
        return result
    }
}

extension [SQL] {
    /// The conditions of a `where`, all of which must hold.
    package var all: SQL { isEmpty ? "true" : joined(separator: " and ") }
}

extension SQL {
    /// Ensures that the protocol can carry it: the server's texts have no zero characters.
    func validate() throws(PostgresError) {
        if parameters.count > 65_535 { throw .tooManyParameters }
        for parameter in parameters {
            if let text = parameter.text, text.contains(0) { throw .zeroInParameter }
        }
    }

    /// The statement with NULLs for its values: safe to keep longer than a call.
    var withoutValues: SQL {
        var copy = self
        for index in copy.parameters.indices { copy.parameters[index].text = nil }
        return copy
    }
}
