/// How a lane is sent: a lane is the queue of the mails for one mailbox provider, or for one domain that is slow.
struct LaneRule: Codable, Hashable, Sendable {
    /// Sessions open at once.
    var connections: Int
    /// After that many messages a session ends.
    var messagesPerConnection: Int
    /// Nil for no limit.
    var messagesPerMinute: Int?
    /// Nil for no limit.
    var messagesPerDay: Int?
}

/// The names of lanes: the code of a provider, `other`, or `domain:` and a domain.
enum LaneName {
    /// The lane of all domains that belong to no provider.
    static let other = "other"
    static let domainPrefix = "domain:"

    /// A domain that stalls or defers gets a lane of its own, so that the others do not wait for it.
    static func domain(_ domain: String) -> String { domainPrefix + domain }
}
