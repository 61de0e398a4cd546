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

    /// The lanes of domains, without asking anybody.
    static func known(_ domains: Set<String>, in transaction: PostgresTransaction) async throws -> [String: String] {
        var lanes = domains.reduce(into: [:]) { $0[$1] = MailProviders.provider(of: $1)?.code }
        let others = domains.filter { lanes[$0] == nil }
        let own = others.isEmpty ? [] : try await LaneStore.separated(of: Array(others), on: transaction)
        for domain in others {
            let name = LaneName.domain(domain)
            lanes[domain] = own.contains(name) ? name : LaneName.other
        }
        return lanes
    }
}

extension EmailAddress {
    /// In lower case.
    var domain: String { text.split(atByte: UInt8(ascii: "@")).last.map { String($0).asciiLowercased } ?? "" }
}
