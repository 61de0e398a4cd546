import ClubProtocol
import Synchronization

/// What a listener serves: decides on the head of a request what becomes of it. The rules for heads, bodies and
/// connections are enforced by the ``ConnectionHandler``, for every listener alike.
protocol RequestHandling: Sendable {
    var limits: HTTPLimits { get }
    /// The memory for what has arrived, or is not read by clients yet.
    var bodies: BodyBudget { get }
    var connections: ConnectionCount { get }
    /// Whether each response closes its connection from now on.
    var isDraining: Bool { get }

    /// Decides on the head alone. Never waits.
    func open(_ head: RequestHead) -> HeadDecision
    /// The `Allow` of a path, nil if the path does not exist: for methods that the parser does not know.
    func allowed(_ target: String) -> String?
    /// The response to a problem of the connection itself: before there is a request, or while its body arrives.
    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse
}

/// What the head of a request leads to.
enum HeadDecision {
    case answer(RawResponse)
    case request(RoutedRequest)
    /// Made when the request is complete; its body, if any, is read and dropped.
    case page(@Sendable () async -> RawResponse)
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
