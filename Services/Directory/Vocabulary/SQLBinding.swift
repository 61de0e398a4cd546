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
extension Freshness: PostgresEncodable {}
extension Standing.Status: PostgresEncodable {}
extension IBAN: PostgresDecodable {}
extension Payment.Means: PostgresEncodable, PostgresDecodable {}

extension JSONText {
    /// A value of the protocol as `jsonb`.
    init(encoding value: some Encodable) throws {
        self.init(String(decoding: try WireJSON.encode(value), as: UTF8.self))
    }
}

extension PageRequest {
    /// The position after which a list continues, if its order is one column and the identifier; nil on the first page.
    func position<Entity>(of _: Entity.Type) throws -> (key: String, id: Identifier<Entity>)? {
        try place(of: 2) { key in
            (try? Identifier<Entity>(validating: key[1])).map { (key[0], $0) }
        }
    }
}

extension [SQL] {
    /// The conditions of a `where`, all of which must hold.
    var all: SQL { isEmpty ? "true" : joined(separator: " and ") }
}

extension Row {
    /// Reads a resource that is about to change.
    ///
    /// - Throws: 412 if it is not the version that the change is based on.
    func decode<T: Decodable>(_ type: T.Type, at version: Int?) throws -> T {
        guard try self["version", as: Int.self] == version else { throw Problem(.stale) }
        return try decode(type)
    }
}
