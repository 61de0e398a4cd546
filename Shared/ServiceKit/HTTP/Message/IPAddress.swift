import Glibc
import NIOCore

/// An IP address, and whether it belongs to the public Internet.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Parameter text: without a zone (`fe80::1%eth0`): that is a machine's own name for an interface, and not part
    ///   of an address that others can compare.
    init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var raw = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &raw) == 1 {
            bytes = Array(raw.prefix(4))
        } else if inet_pton(AF_INET6, text, &raw) == 1 {
            bytes = raw
        } else {
            return nil
        }
    }

    /// - Parameter text: as in header fields and settings; a text longer than any address is not examined.
    init?(ascii text: some Collection<UInt8>) {
        // Eight groups of four digits, or six and an IPv4 address.
        guard (2...45).contains(text.count), text.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.init(String(decoding: text, as: UTF8.self))
    }

    /// The address of a peer; nil for a Unix socket.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }

    var description: String {
        (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress) ?? ""
    }

    /// Whether it is publicly routable: in none of the IANA's registries of special-purpose addresses (RFC 6890 and its
    /// successors), and none of the addresses at which clouds answer their own machines.
    var isPublic: Bool {
        bytes.count == 4 ? Self.isPublic4(bytes) : Self.isPublic6(bytes)
    }

    private static func isPublic4(_ bytes: [UInt8]) -> Bool {
        !reserved4.contains { matches(bytes, $0.prefix, bits: $0.bits) }
    }

    /// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, as dual-stack sockets report it) as the IPv4 address; all
    /// others unchanged.
    var unmapped: IPAddress {
        guard bytes.count == 16, bytes.starts(with: Self.mappedPrefix) else { return self }
        return IPAddress(bytes: Array(bytes.suffix(4)))
    }

    /// Whether it is a loopback address.
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// Of IPv6 only 2000::/3 has been allocated; IPv4-mapped addresses follow the IPv4 rules.
    private static func isPublic6(_ bytes: [UInt8]) -> Bool {
        if bytes.starts(with: mappedPrefix) { return isPublic4(Array(bytes.suffix(4))) }
        return matches(bytes, [0x20], bits: 3) && !reserved6.contains { matches(bytes, $0.prefix, bits: $0.bits) }
    }

    fileprivate static func matches(_ bytes: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        for (index, byte) in prefix.enumerated() {
            let left = min(8, bits - index * 8)
            guard left > 0 else { break }
            let mask = left == 8 ? UInt8.max : ~(UInt8.max >> UInt8(left))
            guard bytes[index] & mask == byte & mask else { return false }
        }
        return true
    }

    private static let reserved4: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8),
        // Link-local, including the metadata services of most clouds.
        ([169, 254], 16),
        ([172, 16], 12), ([192, 0, 0], 24), ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16),
        ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24),
        // Azure's address for its own machines, in the middle of public addresses.
        ([168, 63, 129, 16], 32),
        ([224], 4), ([240], 4),
    ]

    private static let reserved6: [(prefix: [UInt8], bits: Int)] = [
        // Teredo, benchmarking, ORCHID: reserved for protocols.
        ([0x20, 0x01, 0x00], 23),
        ([0x20, 0x01, 0x0D, 0xB8], 32),
        // 6to4 leads to an arbitrary IPv4 address.
        ([0x20, 0x02], 16),
        ([0x3F, 0xFF, 0x00], 20),
    ]
}

/// All addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/32`, or one address alone.
struct IPNetwork: Hashable, Sendable {
    private let prefix: [UInt8]
    private let bits: Int

    /// - Returns: nil for what is neither an address nor a network; bits beyond the length of the prefix are ignored.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let written = IPAddress(ascii: parts[0]) else { return nil }
        // `::ffff:10.0.0.0/104` is 10.0.0.0/8: IPv4-mapped addresses are compared as IPv4 addresses.
        let address = written.unmapped
        let unmappedBits = (written.bytes.count - address.bytes.count) * 8
        prefix = address.bytes
        guard parts.count == 2 else {
            bits = prefix.count * 8
            return
        }
        let digits = parts[1]
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(String(decoding: digits, as: UTF8.self)),
            (unmappedBits...(unmappedBits + prefix.count * 8)).contains(length)
        else { return nil }
        bits = length - unmappedBits
    }

    func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == prefix.count && IPAddress.matches(address.bytes, prefix, bits: bits)
    }
}
