import ClubProtocol
import Synchronization

/// What stands behind a listener: decides by the head of a request what becomes of it. All that a head, a body and a connection have to
/// keep to is the ``ConnectionHandler``'s, and the same for every listener.
protocol RequestHandling: Sendable {
    var limits: HTTPLimits { get }
    /// The memory for what has arrived or is not read.
    var bodies: BodyBudget { get }
    var connections: ConnectionCount { get }
    /// Whether each answer closes its connection from now on.
    var isDraining: Bool { get }

    /// Decides by the head alone. Never waits.
    func open(_ head: RequestHead) -> HeadDecision
    /// The `Allow` of a path, nil where there is none: for methods that the parser does not know.
    func allowed(_ target: String) -> String?
    /// A problem that the connection itself has: before there is a request, or while the body of one comes.
    func answer(to problem: Problem, during request: RoutedRequest?) -> RawResponse
}

/// What the head of a request leads to.
enum HeadDecision {
    case answer(RawResponse)
    case request(RoutedRequest)
    /// What is answered when the request is there; a body that it brings is read and forgotten.
    case page(@Sendable () async -> RawResponse)
}

/// Makes names for requests: 13 characters of base 32, 65 bits of a counter, stirred; short enough for a string without an
/// allocation.
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
