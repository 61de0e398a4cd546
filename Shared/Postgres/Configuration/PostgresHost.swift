/// One of the hosts of a URL.
struct PostgresHost: Sendable, Hashable {
    /// A name, an address, or the directory of a Unix socket; `@directory` is one in the abstract namespace.
    var name: String?
    /// The address to connect to, if it is given in addition to the name, or instead.
    var address: String?
    var port = 5432

    /// The name to resolve; nil for an address or a Unix socket.
    var nameToResolve: String? {
        guard address == nil, socketPath == nil, let name else { return nil }
        return Resolver.isAddress(name) ? nil : name
    }

    /// The Unix socket to connect to; nil for TCP.
    var socketPath: String? {
        guard address == nil, let name, let first = name.utf8.first, "/@".utf8.contains(first) else { return nil }
        return "\(name)/.s.PGSQL.\(port)"
    }

    /// The longest path that fits in `sockaddr_un`.
    private static let longestPath = 107

    /// Names, addresses and ports pair up, and a single port applies to all (PostgreSQL documentation, 34.1.1.3).
    ///
    /// - Parameter directory: of the Unix socket that is used where no host is given.
    static func list(
        _ settings: ConnectionSettings, directory: String
    ) throws(PostgresConfiguration.InvalidURL) -> [PostgresHost] {
        let (names, addresses) = (settings.list("host"), settings.list("hostaddr"))
        let ports = settings.list("port")
        let count = addresses.isEmpty ? max(1, names.count) : addresses.count
        guard names.isEmpty || names.count == count else { throw settings.wrongValue("host") }
        guard ports.count <= 1 || ports.count == count else { throw settings.wrongValue("port") }
        var hosts: [PostgresHost] = []
        for index in 0..<count {
            var host = PostgresHost(name: element(names, index), address: element(addresses, index))
            if host.name == nil, host.address == nil { host.name = directory }
            if let port = element(ports, ports.count == 1 ? 0 : index) {
                host.port = try settings.integer("port", port)
            }
            guard (1...65_535).contains(host.port) else { throw settings.wrongValue("port") }
            guard host.address.map(Resolver.isAddress) ?? true else { throw settings.wrongValue("hostaddr") }
            guard host.socketPath.map({ $0.utf8.count <= longestPath }) ?? true else {
                throw settings.wrongValue("host")
            }
            hosts.append(host)
        }
        return hosts
    }

    private static func element(_ list: [String], _ index: Int) -> String? {
        guard list.indices.contains(index), !list[index].isEmpty else { return nil }
        return list[index]
    }
}
