import ClubProtocol
import NIOCore
import ServiceKit

/// A list of DNS servers is not understood.
struct ResolverInvalid: Error, Hashable, CustomStringConvertible {
    var description: String
}

/// The recursive DNS servers, in the order in which they are asked.
struct ResolverConfiguration: Hashable, Sendable {
    /// As many as the C library uses (resolv.conf(5), MAXNS).
    private static let mostServers = 3
    private static let standardPort = 53

    let servers: [SocketAddress]

    /// An explicit list: `ADDRESS[:PORT]`, separated by commas; an IPv6 address that has a port in brackets.
    init(servers text: String) throws(ResolverInvalid) {
        var servers: [SocketAddress] = []
        for part in text.split(atByte: UInt8(ascii: ",")) {
            let name = part.trimmingBlanks
            guard let server = Self.server(name) else {
                throw ResolverInvalid(
                    description: "\(name.prefix(scalars: 100)) is not ADDRESS or ADDRESS:PORT, separated by commas")
            }
            servers.append(server)
        }
        guard servers.count <= Self.mostServers else {
            throw ResolverInvalid(description: "has more than \(Self.mostServers) servers")
        }
        self.servers = servers
    }

    /// The `nameserver` lines of a `resolv.conf`; without any, this machine, as resolv.conf(5) says.
    init(resolvConf text: String) {
        var servers: [SocketAddress] = []
        for line in text.split(atByte: UInt8(ascii: "\n")) where servers.count < Self.mostServers {
            let words = line.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8),
                let server = try? SocketAddress(
                    ipAddress: String(decoding: words[1], as: UTF8.self), port: Self.standardPort)
            else { continue }
            servers.append(server)
        }
        if servers.isEmpty, let local = try? SocketAddress(ipAddress: "127.0.0.1", port: Self.standardPort) {
            servers = [local]
        }
        self.servers = servers
    }

    /// The servers of this machine.
    static func system(path: String = "/etc/resolv.conf") -> ResolverConfiguration {
        let bytes = try? OpenFile(reading: path).readToEnd(atMost: 64 << 10)
        return ResolverConfiguration(resolvConf: String(decoding: bytes ?? [], as: UTF8.self))
    }

    private static func server(_ text: Substring) -> SocketAddress? {
        if let server = try? SocketAddress(ipAddress: String(text), port: standardPort) { return server }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        var address = text[..<colon]
        let digits = text[text.utf8.index(after: colon)...]
        if address.hasBytePrefix("["), address.hasByteSuffix("]") {
            address = address.dropFirst().dropLast()
        } else if address.hasByte(UInt8(ascii: ":")) {
            return nil
        }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { return nil }
        return try? SocketAddress(ipAddress: String(address), port: port)
    }

    static func text(_ server: SocketAddress) -> String {
        let address = server.ipAddress ?? ""
        return "\(address.hasByte(UInt8(ascii: ":")) ? "[\(address)]" : address):\(server.port ?? standardPort)"
    }
}
