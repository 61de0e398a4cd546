import ClubProtocol
import Postgres
import ServiceKit

extension Topic: PostgresEncodable, PostgresDecodable {}
extension Tier: PostgresEncodable, PostgresDecodable {}
extension Region: PostgresEncodable, PostgresDecodable {}
extension Organization.Kind: PostgresEncodable {}
extension Organization.SubKind: PostgresEncodable {}
extension Mandate.Kind: PostgresEncodable {}
extension Expert.SubKind: PostgresEncodable {}
extension Standing.Status: PostgresEncodable {}

extension JSONText {
    /// A value of the protocol as `jsonb`.
    init(encoding value: some Encodable) throws {
        self.init(String(decoding: try WireJSON.encode(value), as: UTF8.self))
    }
}

extension PageRequest {
    /// Where the list goes on, when its order is one column and the identifier; nil on the first page.
    func position<Entity>(of _: Entity.Type) throws -> (key: String, id: Identifier<Entity>)? {
        guard let after else { return nil }
        guard after.count == 2, let id = try? Identifier<Entity>(validating: after[1]) else {
            throw Problem(.malformed, "The cursor does not belong to this list.")
        }
        return (after[0], id)
    }
}

extension [SQL] {
    /// The conditions of a `where`, all of which must hold.
    var all: SQL { isEmpty ? "true" : joined(separator: " and ") }
}

extension SQL {
    /// Whether a row's words, endings and accents apart, have all of `words`, or each has something spelt like it.
    static func matches(_ words: Line) -> SQL {
        """
        (search @@ websearch_to_tsquery('directory.french_folded', \(words.text))
            or (\(spelling(of: words, column: "search_text"))))
        """
    }

    /// Whether the name by which a row is sorted has, for each of `words`, something spelt like it.
    static func nameMatches(_ words: Line) -> SQL {
        spelling(of: words, column: "sort_key")
    }

    /// Each word on its own, so that their order does not matter. One or two letters say too little to be held against a
    /// row, unless there is nothing else; beyond eight, words add nothing but work.
    private static func spelling(of words: Line, column: SQL) -> SQL {
        let all = words.text.split { $0.isWhitespace || $0.isPunctuation }.map(String.init)
        let long = all.filter { $0.count > 2 }
        let conditions = (long.isEmpty ? all : long).prefix(8).map { word -> SQL in
            "directory.folded(\(word)) operator(directory.<%) \(column)"
        }
        return conditions.isEmpty ? "false" : conditions.all
    }

    /// Whether an expert stands in the public directory: its list, its pages, and what ambassadors are shown to choose from.
    /// The one place that decides it.
    ///
    /// Nearly all agree, which the planner cannot know of a condition on `jsonb`: as a truth value it has statistics, and an index
    /// by name of those whom it holds for (`expert_published_idx`).
    static var published: SQL { "\(listed) and \(isPresent)" }

    /// Whom the index by name of the public directory has: those who stand there, and those who would if their record were fresh.
    static var listed: SQL { "(\(agreed(to: .publicDirectory))) is true and left_on is null" }

    /// Whether a row's person or firm agreed to a purpose.
    static func agreed(to purpose: Purpose) -> SQL {
        switch purpose {
        case .flashInfo: #"consents @> '{"flashInfo": {"agreed": true}}'"#
        case .eventInvitations: #"consents @> '{"eventInvitations": {"agreed": true}}'"#
        case .publicDirectory: #"consents @> '{"publicDirectory": {"agreed": true}}'"#
        case .partnerOffers: #"consents @> '{"partnerOffers": {"agreed": true}}'"#
        }
    }
}

extension Row {
    /// Reads a resource that is about to change.
    ///
    /// - Throws: 412 when it is not the version that the change is based on.
    func decode<T: Decodable>(_ type: T.Type, at version: Int?) throws -> T {
        guard try self["version", as: Int.self] == version else { throw Problem(.stale) }
        return try decode(type)
    }
}
