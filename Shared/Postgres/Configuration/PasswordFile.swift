/// The passwords of `~/.pgpass`: lines of `hostname:port:database:username:password`, of which the first that matches
/// counts (PostgreSQL documentation, 34.16).
struct PasswordFile: Sendable {
    private let lines: [ArraySlice<UInt8>]
    /// Of the default Unix socket, which is `localhost` in the file.
    private let directory: String

    init(_ bytes: [UInt8], directory: String) {
        lines = bytes.split(separator: UInt8(ascii: "\n"))
            .map { $0[..<($0.lastIndex { $0 != UInt8(ascii: "\r") }.map { $0 + 1 } ?? $0.startIndex)] }
            .filter { $0.first != UInt8(ascii: "#") }
        self.directory = directory
    }

    /// The file, unless another password is given or there is no file; and its path if it must not be used, because
    /// others than its owner can access it.
    static func find(
        _ settings: ConnectionSettings, directory: String, _ surroundings: Surroundings
    ) -> (file: PasswordFile?, ignored: String?) {
        guard settings["password"] == nil,
            let path = settings["passfile"] ?? surroundings.home.map({ "\($0)/.pgpass" }),
            let file = surroundings.read(path)
        else { return (nil, nil) }
        return file.isPrivate ? (PasswordFile(file.bytes, directory: directory), nil) : (nil, path)
    }

    /// The host counts by its name if it has one.
    func password(for host: PostgresHost, database: String, user: String) -> String? {
        let name = host.name ?? host.address ?? directory
        let fields = [name == directory ? "localhost" : name, String(host.port), database, user]
        for line in lines {
            var rest = line
            if fields.allSatisfy({ PasswordFile.skip($0, &rest) }) { return PasswordFile.password(rest) }
        }
        return nil
    }

    /// Skips the first field if it is `*` or this value.
    private static func skip(_ value: String, _ rest: inout ArraySlice<UInt8>) -> Bool {
        if rest.starts(with: "*:".utf8) {
            rest.removeFirst(2)
            return true
        }
        for expected in value.utf8 {
            guard var byte = rest.popFirst() else { return false }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { return false }
                byte = escaped
            }
            guard byte == expected else { return false }
        }
        return rest.popFirst() == UInt8(ascii: ":")
    }

    /// Up to a separator: later versions may add fields.
    private static func password(_ field: ArraySlice<UInt8>) -> String? {
        var rest = field
        var password: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: ":") {
            let escaped = byte == UInt8(ascii: "\\") ? rest.popFirst() : nil
            password.append(escaped ?? byte)
        }
        return password.isEmpty ? nil : String(validating: password, as: UTF8.self)
    }
}
