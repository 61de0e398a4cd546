import ClubProtocol
import Postgres
import ServiceKit

/// The topics that records are about.
enum TopicStore {
    private static let columns: SQL = "code, label, version"

    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        var rules: [SQL] = []
        if let after = try page.position { rules.append("(sort_key, code) > (\(after.key), \(after.code))") }
        return try await executor.query(
            """
            select \(columns), sort_key as "_key" from topic
            where \(rules.all)
            order by sort_key, code limit \(page.limit + 1)
            """)
    }

    static func create(_ body: CreateTopic.Body, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            "insert into topic (code, label) values (\(body.code), \(body.label)) returning \(columns)")
    }

    static func change(
        _ code: Topic, _ patch: ChangeTopic.Body, at version: Int?, in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard
            let row = try await transaction.first(
                "select \(columns) from topic where code = \(code) for no key update")
        else { throw Problem(.notFound) }
        let topic = try row.decode(TopicTerm.self, at: version)
        return try await transaction.query(
            """
            update topic set label = \(patch.label ?? topic.label), version = version + 1
            where code = \(code)
            returning \(columns)
            """)
    }

    /// A trigger refuses it while the topic is in use.
    static func delete(_ code: Topic, in transaction: PostgresTransaction) async throws {
        guard try await transaction.execute("delete from topic where code = \(code)") > 0 else {
            throw Problem(.notFound)
        }
    }
}

extension PageRequest {
    /// The position after which a list ordered by label and code continues; nil on the first page.
    var position: (key: String, code: String)? {
        get throws { try place(of: 2) { ($0[0], $0[1]) } }
    }
}
