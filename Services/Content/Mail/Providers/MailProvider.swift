import ClubProtocol

/// A company that runs the mailboxes of many people, and limits how one sender delivers to them.
struct MailProvider: Hashable, Sendable {
    /// Names it in settings and in lanes.
    let code: String
    /// The domains of its mailboxes, in lower case.
    let domains: [String]
    /// The domains of its mail exchangers, by which its customers' own domains are known.
    let exchangerDomains: [String]
    let rule: LaneRule

    /// - Parameter host: of an MX record, in lower case.
    func runs(exchanger host: String) -> Bool {
        exchangerDomains.contains { host.hasSameBytes(as: $0) || host.hasByteSuffix(".\($0)") }
    }
}
