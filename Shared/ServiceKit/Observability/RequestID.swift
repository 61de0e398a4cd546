import Synchronization

/// The identifier of the request that this task works for: set by the HTTP stack, passed on as `X-Request-ID`.
package enum RequestID {
    @TaskLocal package static var current: String?
}

/// Generates request identifiers: 13 characters of base 32, which are 65 bits of a scrambled counter; short enough for
/// a string without an allocation.
final class RequestNames: Sendable {
    private let seed = UInt64.random(in: .min ... .max)
    private let count = Atomic<UInt64>(0)

    func next() -> String {
        var value = seed &+ count.add(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        value ^= value >> 31
        return String(unsafeUninitializedCapacity: 13) { buffer in
            for index in 0..<13 {
                let digit = UInt8(truncatingIfNeeded: value & 31)
                buffer[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                value >>= 5
            }
            return 13
        }
    }
}
