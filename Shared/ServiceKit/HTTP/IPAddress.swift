import Foundation
import NIOCore

/// An IP address, and whether it is one of the public Internet.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init?(_ text: String) {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        self.init(address)
    }

    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let address):
            var raw = address.address.sin_addr
            bytes = withUnsafeBytes(of: &raw) { Array($0) }
        case .v6(let address):
            var raw = address.address.sin6_addr
            bytes = withUnsafeBytes(of: &raw) { Array($0) }
        default: return nil
        }
    }

    var description: String {
        (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress) ?? ""
    }

    /// Whether anybody on the Internet has it: none of those that the IANA's registries of special-purpose addresses keep back
    /// (RFC 6890 and what came after), and none where clouds answer their own machines.
    var isPublic: Bool {
        bytes.count == 4 ? Self.isPublic4(bytes) : Self.isPublic6(bytes)
    }

    private static func isPublic4(_ bytes: [UInt8]) -> Bool {
        !reserved4.contains { matches(bytes, $0.prefix, bits: $0.bits) }
    }

    /// Of IPv6 only 2000::/3 has been given out; an IPv4 address in IPv6 clothes is judged as what it is.
    private static func isPublic6(_ bytes: [UInt8]) -> Bool {
        if bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] { return isPublic4(Array(bytes.suffix(4))) }
        return matches(bytes, [0x20], bits: 3) && !reserved6.contains { matches(bytes, $0.prefix, bits: $0.bits) }
    }

    private static func matches(_ bytes: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        for (index, byte) in prefix.enumerated() {
            let left = min(8, bits - index * 8)
            let mask = left == 8 ? UInt8.max : ~(UInt8.max >> UInt8(left))
            guard bytes[index] & mask == byte & mask else { return false }
        }
        return true
    }

    private static let reserved4: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8),
        // Link-local, the metadata services of most clouds with it.
        ([169, 254], 16),
        ([172, 16], 12), ([192, 0, 0], 24), ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16),
        ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24),
        // Where Azure answers its machines, in the middle of public addresses.
        ([168, 63, 129, 16], 32),
        ([224], 4), ([240], 4),
    ]

    private static let reserved6: [(prefix: [UInt8], bits: Int)] = [
        // Teredo, benchmarks, ORCHID: the protocols' own.
        ([0x20, 0x01, 0x00], 23),
        ([0x20, 0x01, 0x0D, 0xB8], 32),
        // 6to4 leads to an IPv4 address of anybody's choice.
        ([0x20, 0x02], 16),
        ([0x3F, 0xFF, 0x00], 20),
    ]
}
