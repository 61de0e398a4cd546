/// Where a request comes from.
struct ClientAddress: Hashable, Sendable {
    /// The whole address.
    let text: String
    /// The key of limits: an IPv4 address, or the first 64 bits of an IPv6 address, which is what one customer has.
    let bucket: String
    /// Whether the limits of one address on connections and memory do not apply: to this machine's own programs, and to
    /// proxies, behind which all clients have one address.
    let isShared: Bool

    /// - Parameter address: nil for a Unix socket.
    init(_ address: IPAddress?, isProxy: Bool = false) {
        guard let address = address?.unmapped else {
            (text, bucket, isShared) = ("unix", "unix", true)
            return
        }
        text = address.description
        bucket =
            address.bytes.count == 4 ? text : IPAddress(bytes: address.bytes.prefix(8) + Self.zeros).description + "/64"
        isShared = isProxy || address.isLoopback
    }

    /// The same address, subject to the limits of one address.
    var counted: ClientAddress { ClientAddress(text: text, bucket: bucket, isShared: false) }

    private init(text: String, bucket: String, isShared: Bool) {
        (self.text, self.bucket, self.isShared) = (text, bucket, isShared)
    }

    private static let zeros = [UInt8](repeating: 0, count: 8)
}

/// The other end of a connection.
struct Peer: Sendable {
    /// Whose requests these are, as far as the socket tells.
    let client: ClientAddress
    /// The proxies to trust further, if the peer is a trusted proxy; nil for all other peers, whose forwarding fields
    /// are not read.
    let proxies: TrustedProxies?
}

/// The proxies that are trusted to say where a request comes from.
struct TrustedProxies: Hashable, Sendable {
    /// More hops than any chain of proxies has.
    private static let mostHops = 32
    /// The longest element that is read; an address with its port and other parameters is far shorter.
    private static let longestHop = 512

    private let networks: [IPNetwork]

    /// - Parameter networks: if empty, no proxy is trusted.
    init(_ networks: [IPNetwork] = []) {
        self.networks = networks
    }

    func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return networks.contains { $0.contains(address) }
    }

    /// The other end of a connection from `address`, nil for a Unix socket.
    func peer(_ address: IPAddress?) -> Peer {
        let isProxy = address.map(contains) ?? false
        return Peer(client: ClientAddress(address, isProxy: isProxy), proxies: isProxy ? self : nil)
    }

    /// The client behind a trusted proxy: walking from the nearest hop outwards, the first address that is not a
    /// trusted proxy itself.
    ///
    /// A hop that is not an address (`unknown`, `_hidden`, anything unreadable) attributes the request to the proxy. So
    /// do the two fields when they contradict each other: a proxy writes one of them and passes the other on as the
    /// client forged it. All requests attributed in this way share the limits of one address, so hiding gains nothing.
    ///
    /// - Parameters:
    ///   - forwarded: the values of `Forwarded` (RFC 7239), in order, joined by commas.
    ///   - forwardedFor: those of `X-Forwarded-For`.
    func client(of proxy: ClientAddress, forwarded: String?, forwardedFor: String?) -> ClientAddress {
        let said = [
            forwarded.flatMap { Self.tellsWhoFor($0) ? $0 : nil }.map {
                client(in: $0, quoted: true, Self.forwardedNode)
            },
            forwardedFor.map { client(in: $0, quoted: false, Self.node) },
        ].compactMap { $0 }
        guard let first = said.first else { return proxy }
        guard said.allSatisfy({ $0 == first }), let address = first else { return proxy.counted }
        return ClientAddress(address, isProxy: contains(address))
    }

    /// - Returns: nil if no address is given.
    private func client(
        in list: String, quoted: Bool, _ read: (Substring.UTF8View) -> IPAddress?
    ) -> IPAddress? {
        var rest = list.utf8[...]
        var last: IPAddress?
        for _ in 0..<Self.mostHops {
            guard let element = Self.popLast(of: &rest, quoted: quoted), let address = read(element) else { return nil }
            last = address
            if !contains(address) || rest.isEmpty { return last }
        }
        return nil
    }

    /// Removes the last element of a list, which the nearest proxy has written. What precedes it may come from the
    /// client, and is not examined.
    private static func popLast(of list: inout Substring.UTF8View, quoted: Bool) -> Substring.UTF8View? {
        var start = list.endIndex
        var isQuoted = false
        var length = 0
        while start > list.startIndex {
            let before = list.index(before: start)
            if list[before] == UInt8(ascii: ","), !isQuoted { break }
            if quoted, list[before] == UInt8(ascii: "\"") { isQuoted.toggle() }
            start = before
            length += 1
            guard length <= longestHop else { return nil }
        }
        let element = list[start...]
        list = start > list.startIndex ? list[..<list.index(before: start)] : list[list.endIndex...]
        return trimmed(element)
    }

    /// Whether the nearest proxy names in `Forwarded` for whom it asks, readable or not, and not only the protocol.
    private static func tellsWhoFor(_ list: String) -> Bool {
        var rest = list.utf8[...]
        guard let element = popLast(of: &rest, quoted: true) else { return true }
        return element.split(separator: UInt8(ascii: ";")).contains { pair in
            Substring(trimmed(pair.prefix { $0 != UInt8(ascii: "=") })).isField("for")
        }
    }

    /// `for=192.0.2.43;proto=http`, `For="[2001:db8:cafe::17]:4711"` (RFC 7239, 4).
    private static func forwardedNode(_ element: Substring.UTF8View) -> IPAddress? {
        for pair in element.split(separator: UInt8(ascii: ";")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, Substring(trimmed(parts[0])).isField("for") else { continue }
            var value = trimmed(parts[1])
            if value.first == UInt8(ascii: "\"") {
                guard value.count >= 2, value.last == UInt8(ascii: "\"") else { return nil }
                value = value.dropFirst().dropLast()
            }
            return node(value)
        }
        return nil
    }

    /// `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::17`, `[2001:db8::17]`, `[2001:db8::17]:4711`.
    private static func node(_ text: Substring.UTF8View) -> IPAddress? {
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")), isPort(text[text.index(after: end)...]) else {
                return nil
            }
            let address = IPAddress(ascii: text[text.index(after: text.startIndex)..<end])
            return address?.bytes.count == 16 ? address?.unmapped : nil
        }
        // One colon precedes a port; several are an IPv6 address that some proxies write without brackets.
        if let colon = text.firstIndex(of: UInt8(ascii: ":")), colon == text.lastIndex(of: UInt8(ascii: ":")) {
            return isPort(text[colon...]) ? IPAddress(ascii: text[..<colon]) : nil
        }
        return IPAddress(ascii: text)?.unmapped
    }

    /// Nothing, or a colon and a port, which may be an obfuscated name (RFC 7239, 6.2).
    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        text.isEmpty || text.first == UInt8(ascii: ":") && (2...32).contains(text.count)
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
