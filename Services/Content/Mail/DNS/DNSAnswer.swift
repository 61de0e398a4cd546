/// What the DNS says about a name. Without an answer, nothing is known: that is never taken for a good answer.
enum DNSAnswer<Value: Hashable & Sendable>: Hashable, Sendable {
    case found([Value])
    /// The name does not exist, or has no records of this type.
    case none
    /// No server answered, and why.
    case unknown(String)
}

/// The data of one record.
enum DNSRecord: Hashable, Sendable {
    case exchanger(MailExchanger)
    case text(String)
}

/// An MX record (RFC 1035, 3.3.9).
struct MailExchanger: Hashable, Sendable {
    /// The lowest is tried first.
    var preference: Int
    /// In lower case without a final dot; empty for the root.
    var host: String

    /// The domain accepts no mail ("null MX", RFC 7505).
    static let null = MailExchanger(preference: 0, host: "")
}
