import ClubProtocol
import Postgres
import ServiceKit

/// Who has joined the audience of an issue since its deliveries were frozen.
///
/// The directory lists its readers in no order that a cursor could continue, so each page reads the whole audience, and
/// keeps only what comes next by address: in constant memory, however many there are. Few are late, so pages are few.
struct LateReaders: Sendable {
    /// What is listed at once where nobody asks for pages.
    static let batch = 1000
    /// An issue of which deliveries may have been forgotten says nothing about who is late.
    private static let oldest: SQL = "interval '1 year'"

    let backend: Backend

    /// The next ones after an address, by address.
    ///
    /// - Parameter key: an address in lower case.
    /// - Throws: 404; errors of the directory.
    func list(_ issue: Issue.ID, after key: String?, limit: Int) async throws -> [MissedDelivery] {
        let row = try await backend.database.first(
            """
            select coalesce(frozen_at > now() - \(Self.oldest) and state <> 'cancelled', false) as counts
            from issue where id = \(issue)
            """)
        guard let row else { throw Problem(.notFound) }
        guard try row["counts", as: Bool.self] else { return [] }
        var found = Smallest(limit: limit, after: key)
        for audience in Edition.Audience.allCases {
            var readers: [DeliveryStore.Reader] = []
            for try await member in try audience.members(of: backend) {
                readers.append(.init(member))
                if readers.count == Self.batch {
                    found.add(try await late(readers, issue, audience))
                    readers.removeAll(keepingCapacity: true)
                }
            }
            found.add(try await late(readers, issue, audience))
        }
        return found.rows
    }

    /// How many there are.
    func count(_ issue: Issue.ID) async throws -> Int {
        var (count, key): (Int, String?) = (0, nil)
        while true {
            let rows = try await list(issue, after: key, limit: Self.batch)
            count += rows.count
            guard rows.count == Self.batch else { return count }
            key = rows.last?.email.text.asciiLowercased
        }
    }

    private func late(
        _ readers: [DeliveryStore.Reader], _ issue: Issue.ID, _ audience: Edition.Audience
    ) async throws -> [MissedDelivery] {
        guard !readers.isEmpty else { return [] }
        return try await backend.database.query(
            """
            select \(audience) as audience, reader.email, nullif(reader.name, '') as name, 'late' as reason, 0 as attempts
            from unnest(
                \(readers.map(\.email))::text[], \(readers.map(\.name))::text[], \(readers.map { $0.subject?.id })::uuid[]
            ) as reader (email, name, subject)
            where \(AudienceRule.isKnown) and \(AudienceRule.isLate(for: issue))
                and \(AudienceRule.needs(issue, audience))
            """
        ).decode(MissedDelivery.self)
    }

    /// The rows with the smallest addresses after one, each address once: that of the edition which comes first.
    private struct Smallest {
        let limit: Int
        let after: String?
        /// In the order in which they came, where the address is the same.
        private var kept: [(key: String, order: Int, row: MissedDelivery)] = []
        private var count = 0

        init(limit: Int, after: String?) {
            self.limit = limit
            self.after = after
        }

        mutating func add(_ rows: [MissedDelivery]) {
            for row in rows {
                let key = row.email.text.asciiLowercased
                if let after, !after.utf8.lexicographicallyPrecedes(key.utf8) { continue }
                kept.append((key, count, row))
                count += 1
            }
            kept.sort { left, right in
                left.key.hasSameBytes(as: right.key)
                    ? left.order < right.order : left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
            }
            var distinct: [(key: String, order: Int, row: MissedDelivery)] = []
            for one in kept where distinct.last?.key.hasSameBytes(as: one.key) != true {
                distinct.append(one)
                if distinct.count == limit { break }
            }
            kept = distinct
        }

        var rows: [MissedDelivery] { kept.map(\.row) }
    }
}

extension Edition.Audience {
    /// The readers that the directory lists now for an edition, who have agreed to the Flash info.
    func members(of backend: Backend) throws -> ResponseLines<AudienceMember> {
        let group: Audience.Group =
            switch self {
            case .ambassadors: .ambassadors
            case .experts: .experts
            }
        return try backend.peers[.directory].stream(
            ResolveAudience.request(body: Audience(audience: group, purpose: .flashInfo)))
    }
}
