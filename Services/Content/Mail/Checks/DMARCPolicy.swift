import ClubProtocol

/// What a domain asks of mails that say they are from it (RFC 7489).
enum DMARCPolicy: Sendable {
    /// - Parameter domain: which has the record: the domain of `From` or one above it.
    case found(DNSTags, domain: String)
    case none
    /// Then none of them counts.
    case several(domain: String)
    case unknown(String)

    /// Looks at the domain, then at those above it: without a list of public suffixes the organizational domain is not
    /// known, but it is one of these. One with a single label is never an organization's.
    static func find(for domain: String, by dns: DNSClient) async -> DMARCPolicy {
        var labels = domain.split(atByte: UInt8(ascii: "."))[...]
        while labels.count > 1 {
            let name = labels.joined(separator: ".")
            switch await dns.texts(of: "_dmarc.\(name)") {
            case .found(let texts):
                let records = texts.map(DNSTags.init).filter { $0.isFirst("v", "DMARC1") }
                if records.count > 1 { return .several(domain: name) }
                if let record = records.first { return .found(record, domain: name) }
            case .none: break
            case .unknown(let reason): return .unknown(reason)
            }
            labels = labels.dropFirst()
        }
        return .none
    }

    var finding: MailChecks.Finding {
        switch self {
        case .found(let tags, let domain):
            guard let policy = tags["p"]?.asciiLowercased, ["none", "quarantine", "reject"].contains(policy) else {
                return (.wrong, "The DMARC record of \(domain) has no policy: add p=none, p=quarantine or p=reject.")
            }
            return (.ok, "The DMARC policy of \(domain) is \(policy).")
        case .none: return (.wrong, "There is no DMARC record: publish v=DMARC1; p=none and tighten it later.")
        case .several(let domain):
            return (.wrong, "There are several DMARC records of \(domain), so none counts: leave one.")
        case .unknown(let reason):
            return (.unknown, "The DNS says nothing (\(reason)): check again when it answers.")
        }
    }

    /// Whether a domain counts as that of `From` (RFC 7489, 3.1): the same or, unless the policy is strict, of the same
    /// organization.
    ///
    /// - Parameter tag: `adkim` for signatures, `aspf` for return addresses.
    func aligns(_ domain: String, with from: String, strictBy tag: String) -> Bool {
        if domain.hasSameBytes(as: from) { return true }
        if case .found(let tags, _) = self, tags[tag]?.asciiLowercased == "s" { return false }
        if Self.isBelow(domain, from) || Self.isBelow(from, domain) { return true }
        guard case .found(_, let organization) = self else { return false }
        return Self.isBelow(domain, organization) && Self.isBelow(from, organization)
    }

    private static func isBelow(_ domain: String, _ other: String) -> Bool { domain.hasByteSuffix(".\(other)") }
}

/// A record of tags and values (RFC 6376, 3.2): `v=DMARC1; p=none`.
struct DNSTags: Sendable {
    private var tags: [(name: String, value: String)] = []

    /// What is no tag is ignored.
    init(_ record: String) {
        for part in record.split(atByte: UInt8(ascii: ";")) {
            let pair = part.split(atByte: UInt8(ascii: "="), maxSplits: 1)
            guard pair.count == 2 else { continue }
            tags.append((String(pair[0].trimmingBlanks), String(pair[1].trimmingBlanks)))
        }
    }

    subscript(name: String) -> String? { tags.first { $0.name.hasSameBytes(as: name) }?.value }

    /// A value that may be folded anywhere.
    func withoutBlanks(_ name: String) -> String? {
        self[name]?.removingScalars { $0 == " " || $0 == "\t" || $0.endsLine }
    }

    /// Whether the record begins with this tag and value.
    func isFirst(_ name: String, _ value: String) -> Bool {
        tags.first.map { $0.name.hasSameBytes(as: name) && $0.value.hasSameBytes(as: value) } ?? false
    }
}
