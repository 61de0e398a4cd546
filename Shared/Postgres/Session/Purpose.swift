/// What a connection is for.
enum Purpose: Sendable, Hashable {
    case shared(Int)
    case leased
    case listener
}
