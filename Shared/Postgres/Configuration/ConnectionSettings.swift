/// The parameters that a URL gives, and those that the environment gives where the URL does not.
struct ConnectionSettings: Sendable {
    typealias InvalidURL = PostgresConfiguration.InvalidURL

    private var values: [String: String]
    /// The variables whose values were taken, by keyword.
    private var variables: [String: String] = [:]

    init(url: [String: String], environment: [String: String]) throws(InvalidURL) {
        values = url.filter { !$0.value.isEmpty }
        for (name, keyword) in ConnectionKeyword.variables where values[keyword] == nil {
            guard let value = environment[name], !value.isEmpty else { continue }
            try ConnectionKeyword.check(keyword, value, name: name)
            values[keyword] = value
            variables[keyword] = name
        }
        // A variable of earlier versions.
        if values["sslmode"] == nil, environment["PGREQUIRESSL"]?.utf8.first == UInt8(ascii: "1") {
            values["sslmode"] = "require"
        }
    }

    /// Nil if it is not given, or empty.
    subscript(_ keyword: String) -> String? { values[keyword] }

    /// The comma-separated elements, which may be empty.
    func list(_ keyword: String) -> [String] {
        guard let text = values[keyword] else { return [] }
        return text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
    }

    func integer(_ keyword: String) throws(InvalidURL) -> Int? {
        guard let text = values[keyword] else { return nil }
        return try integer(keyword, text)
    }

    /// As C's `strtol`, but with nothing after the number except spaces.
    func integer(_ keyword: String, _ text: String) throws(InvalidURL) -> Int {
        let digits = text.utf8.drop(while: ConnectionString.isSpace)
        let end = digits.lastIndex { !ConnectionString.isSpace($0) }.map(digits.index(after:)) ?? digits.startIndex
        guard let number = Int32(Substring(digits[..<end])) else { throw wrongValue(keyword) }
        return Int(number)
    }

    func wrongValue(_ keyword: String) -> InvalidURL {
        InvalidURL(.wrongValue(of: variables[keyword] ?? keyword))
    }
}
