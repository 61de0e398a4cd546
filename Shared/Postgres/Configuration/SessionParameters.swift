/// Whether and how a session is encrypted (PostgreSQL documentation, 34.19.1).
enum TLSMode: String, Sendable, CaseIterable {
    case disable, allow, prefer, require
    case verifyCA = "verify-ca"
    case verifyFull = "verify-full"
}
