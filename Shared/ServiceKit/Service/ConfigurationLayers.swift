import ClubProtocol
import Configuration
import FoundationEssentials

/// What prevents a start: one line that names the variable and says what is wrong with it, never a secret value.
package struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The environment variable, whatever the source of the value: `DATABASE_URL`.
    package var variable: String
    package var reason: String

    package init(_ variable: String, _ reason: String) {
        self.variable = variable
        self.reason = reason
    }

    package var description: String { "\(variable): \(reason)" }
}

/// One setting, named by the parts of its environment variable: `["database", "url"]` is `DATABASE_URL`,
/// `--database-url`, and `{"database": {"url": …}}` in a file.
struct ConfigurationKey: Hashable, Sendable, ExpressibleByStringLiteral {
    let parts: [String]

    /// - Parameter value: the environment variable.
    init(stringLiteral value: String) {
        parts = value.lowercased().split(separator: "_").map(String.init)
    }

    init(_ variable: String) {
        self.init(stringLiteral: variable)
    }

    var variable: String { parts.joined(separator: "_").uppercased() }
    /// The same setting, read from the file that this variable names.
    var inFile: ConfigurationKey { ConfigurationKey("\(variable)_FILE") }
    var reader: ConfigKey { ConfigKey(parts) }
}

/// Flags over environment over file. A value in a higher layer hides those below, whether it is given directly or as
/// the name of a file that holds it (`…_FILE`).
struct ConfigurationLayers: Sendable {
    /// From the highest to the lowest priority.
    private let layers: [ConfigReader]
    private static let maximumFileBytes = 64 * 1024

    /// - Parameters:
    ///   - flags: by environment variable.
    ///   - known: every key; a file may contain no others, so that a typing error is noticed.
    init(flags: [String: String], environment: [String: String], known: [ConfigurationKey]) throws(ConfigurationProblem)
    {
        let flags = Self.provider("flags", flags.map { (ConfigurationKey($0.key), $0.value) })
        let variables = EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty })
        var layers = [ConfigReader(provider: flags), ConfigReader(provider: variables)]
        let config: ConfigurationKey = "CONFIG_FILE"
        let path = layers.lazy.compactMap { $0.string(forKey: config.reader) }.first
        if let path {
            let values = try Self.file(path, known: known)
            layers.append(ConfigReader(provider: Self.provider("file", values)))
        }
        self.layers = layers
    }

    private static func provider(
        _ name: String, _ values: [(ConfigurationKey, String)]
    ) -> InMemoryProvider {
        InMemoryProvider(
            name: name,
            values: Dictionary(
                values.filter { !$0.1.isEmpty }.map { key, value in
                    // Marked secret, so that reports about how a value was found do not contain it.
                    (AbsoluteConfigKey(key.parts), ConfigValue(.string(value), isSecret: true))
                }, uniquingKeysWith: { first, _ in first }))
    }

    // MARK: Values

    /// The text of a value; nil when no layer has it.
    func text(_ key: ConfigurationKey) throws(ConfigurationProblem) -> String? {
        for layer in layers {
            let value = layer.string(forKey: key.reader, isSecret: true)
            let path = layer.string(forKey: key.inFile.reader, isSecret: true)
            switch (value, path) {
            case (nil, nil): continue
            case (.some, .some):
                throw ConfigurationProblem(key.variable, "is given twice, also as \(key.inFile.variable)")
            case (let value?, nil): return value
            case (nil, let path?): return try Self.secret(path, key)
            }
        }
        return nil
    }

    /// The path of a file that is read later, by the code that knows its format.
    func path(_ key: ConfigurationKey) throws(ConfigurationProblem) -> String? {
        guard let path = layers.lazy.compactMap({ $0.string(forKey: key.reader) }).first else { return nil }
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw ConfigurationProblem(key.variable, "\(path) cannot be read")
        }
        return path
    }

    func required(_ key: ConfigurationKey, _ purpose: String) throws(ConfigurationProblem) -> String {
        guard let value = try text(key) else { throw ConfigurationProblem(key.variable, "is missing: \(purpose)") }
        return value
    }

    func integer(
        _ key: ConfigurationKey, in range: ClosedRange<Int>, default value: Int
    ) throws(ConfigurationProblem) -> Int {
        guard let text = try text(key) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationProblem(
                key.variable, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func seconds(
        _ key: ConfigurationKey, in range: ClosedRange<Double>, default value: Double
    ) throws(ConfigurationProblem) -> Duration {
        guard let text = try text(key) else { return .seconds(value) }
        guard let number = Double(text), range.contains(number) else {
            throw ConfigurationProblem(
                key.variable, "must be a number of seconds from \(range.lowerBound) to \(range.upperBound)")
        }
        return .seconds(number)
    }

    func flag(_ key: ConfigurationKey, default value: Bool) throws(ConfigurationProblem) -> Bool {
        guard let text = try text(key) else { return value }
        guard let flag = Bool(text.lowercased()) else {
            throw ConfigurationProblem(key.variable, "must be true or false")
        }
        return flag
    }

    func choice<Value: RawRepresentable & CaseIterable>(
        _ key: ConfigurationKey, default value: Value
    ) throws(ConfigurationProblem) -> Value where Value.RawValue == String {
        guard let text = try text(key) else { return value }
        guard let choice = Value(rawValue: text.lowercased()) else {
            throw ConfigurationProblem(
                key.variable, "must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    /// An address of the form `http://host:port`, without a trailing slash.
    func webAddress(_ key: ConfigurationKey) throws(ConfigurationProblem) -> String? {
        guard let text = try text(key) else { return nil }
        guard let parts = URLComponents(string: text), parts.scheme == "http" || parts.scheme == "https",
            let host = parts.host, !host.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil
        else { throw ConfigurationProblem(key.variable, "must be a URL such as http://127.0.0.1:7001") }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    // MARK: Files

    private static func secret(_ path: String, _ key: ConfigurationKey) throws(ConfigurationProblem) -> String {
        let bytes = try read(path, key.inFile.variable)
        // Editors and `echo` end the file with a newline, which is not part of the secret.
        let isNewline = { (byte: UInt8) in byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
        let end = bytes.lastIndex { !isNewline($0) } ?? -1
        guard let value = String(validating: bytes[...end].drop(while: isNewline), as: UTF8.self) else {
            throw ConfigurationProblem(key.inFile.variable, "\(path) is not UTF-8 text")
        }
        guard !value.isEmpty else { throw ConfigurationProblem(key.inFile.variable, "\(path) is empty") }
        return value
    }

    private static func file(
        _ path: String, known: [ConfigurationKey]
    ) throws(ConfigurationProblem) -> [(ConfigurationKey, String)] {
        let variable = "CONFIG_FILE"
        let bytes = try read(path, variable)
        guard let object = try? JSONDecoder().decode([String: JSONValue].self, from: Data(bytes)) else {
            throw ConfigurationProblem(variable, "\(path) is not a JSON object")
        }
        let allowed = Set(known.flatMap { [$0.variable, $0.inFile.variable] })
        var values: [(ConfigurationKey, String)] = []
        for (name, value) in flatten(object, under: []).sorted(by: { $0.name < $1.name }) {
            let key = ConfigurationKey(name)
            guard allowed.contains(key.variable) else {
                throw ConfigurationProblem(variable, "\(path) has the unknown key \(name.lowercased())")
            }
            guard let text = value else {
                throw ConfigurationProblem(variable, "\(path): \(name.lowercased()) is neither text nor a number")
            }
            values.append((key, text))
        }
        return values
    }

    private static func flatten(_ object: [String: JSONValue], under parts: [String]) -> [(
        name: String, value: String?
    )] {
        object.flatMap { name, value -> [(name: String, value: String?)] in
            let parts = parts + [name]
            if case .object(let inner) = value { return flatten(inner, under: parts) }
            let text: String? =
                switch value {
                case .string(let text): text
                case .integer(let number): "\(number)"
                case .number(let number): "\(number)"
                case .bool(let isTrue): "\(isTrue)"
                case .null, .array, .object: nil
                }
            return [(parts.joined(separator: "_"), text)]
        }
    }

    private static func read(_ path: String, _ variable: String) throws(ConfigurationProblem) -> [UInt8] {
        guard let bytes = try? OpenFile(reading: path).readToEnd(atMost: maximumFileBytes + 1) else {
            throw ConfigurationProblem(variable, "\(path) cannot be read")
        }
        guard bytes.count <= maximumFileBytes else {
            throw ConfigurationProblem(variable, "\(path) is larger than \(maximumFileBytes) bytes")
        }
        return bytes
    }
}
