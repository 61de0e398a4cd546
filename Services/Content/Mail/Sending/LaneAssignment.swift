import ClubProtocol
import Postgres

/// Which lane the mails to a domain go in.
struct LaneAssignment: Sendable {
    let finder: LaneFinder
    let store: LaneStore

    /// The lanes of many domains; their mail exchangers are looked up where the domain says nothing.
    func lanes(of domains: Set<String>) async throws -> [String: String] {
        var lanes = await finder.lanes(of: domains)
        let others = lanes.filter { $0.value.hasSameBytes(as: LaneName.other) }.map(\.key)
        let own = try await LaneStore.separated(of: others, on: store.database)
        for domain in others where own.contains(LaneName.domain(domain)) { lanes[domain] = LaneName.domain(domain) }
        return lanes
    }

    /// The lane of a domain, without asking anybody.
    static func known(_ domain: String, in transaction: PostgresTransaction) async throws -> String {
        if let provider = MailProviders.provider(of: domain) { return provider.code }
        let own = try await LaneStore.separated(of: [domain], on: transaction)
        return own.first ?? LaneName.other
    }
}

extension EmailAddress {
    /// In lower case.
    var domain: String { text.split(atByte: UInt8(ascii: "@")).last.map { String($0).asciiLowercased } ?? "" }
}
