/// A parameter as it is sent: its type and its text form, without a terminating zero. `nil` is NULL.
package struct SQLParameter: Sendable, Hashable {
    package var type: PostgresType
    package var text: [UInt8]?

    package init(type: PostgresType, text: [UInt8]?) {
        self.type = type
        self.text = text
    }
}

/// A statement and what is bound to it.
///
/// `\(value)` binds, `\(fragment)` of type `SQL` splices another statement with its own bindings. Nothing else can get in:
/// the text comes from literals of the source code only.
package struct SQL: ExpressibleByStringInterpolation, Sendable, Hashable {
    /// The statement with `$1 … $n` in place of the values.
    package private(set) var text: String
    package private(set) var parameters: [SQLParameter]
    /// Where each placeholder starts in `text`, in UTF-8 bytes: a fragment is renumbered by these and not by searching,
    /// so that `'$1'` in a literal stays what it is.
    private var placeholders: [Int]
    /// Whether the server plans it anew each time, with its values.
    private(set) var isPlannedByValue = false

    package init(stringLiteral value: String) {
        text = value
        parameters = []
        placeholders = []
    }

    package init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.statement
    }

    /// The same, planned by the server each time with its values, and every statement that this becomes a part of: for a condition
    /// that a few rows may meet, or most of a table. Other statements are prepared, and soon planned for values as they come on
    /// average (PostgreSQL documentation, `plan_cache_mode`). Costs the time of planning.
    package var plannedByValue: SQL {
        var result = self
        result.isPlannedByValue = true
        return result
    }

    /// Nothing, to start a list of conditions with.
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

    /// Control statements of this module, whose words never come from a caller's values.
    init(control text: String) {
        self.text = text
        parameters = []
        placeholders = []
    }

    fileprivate mutating func append(literal: String) {
        text.append(literal)
    }

    fileprivate mutating func bind(_ parameter: SQLParameter) {
        placeholders.append(text.utf8.count)
        parameters.append(parameter)
        text.append("$")
        text.append(String(parameters.count))
    }

    fileprivate mutating func splice(_ fragment: SQL) {
        isPlannedByValue = isPlannedByValue || fragment.isPlannedByValue
        guard !fragment.parameters.isEmpty else {
            text.append(fragment.text)
            return
        }
        let source = fragment.text.utf8
        var position = source.startIndex
        for (index, parameter) in fragment.parameters.enumerated() {
            let mark = source.index(source.startIndex, offsetBy: fragment.placeholders[index])
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
            if interpolationCount > 0 {
                statement.parameters.reserveCapacity(interpolationCount)
                statement.placeholders.reserveCapacity(interpolationCount)
            }
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

extension SQL {
    /// The statement with NULLs for its values: what may be kept longer than a call.
    var withoutValues: SQL {
        var copy = self
        for index in copy.parameters.indices { copy.parameters[index].text = nil }
        return copy
    }
}
