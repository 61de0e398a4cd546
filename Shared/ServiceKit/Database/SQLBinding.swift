package import ClubProtocol
package import Postgres

/// Values of the protocol are bound to statements, and read from columns, as text. The server infers the type, so that
/// an identifier can be compared with a `uuid`, a day with a `date`, a line with a `text` or a domain.
extension PostgresEncodable where Self: TextValue {
    package static var postgresType: PostgresType { .unspecified }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: text.utf8)
    }
}

extension PostgresDecodable where Self: TextValue {
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Self {
        do {
            return try Self(validating: String(decoding: text, as: UTF8.self))
        } catch {
            throw .mismatch(Self.self, type)
        }
    }
}

extension JSONText {
    /// A value of the protocol as `jsonb`.
    ///
    /// - Throws: errors of encoding it.
    package init(encoding value: some Encodable) throws {
        self.init(String(decoding: try WireJSON.encode(value), as: UTF8.self))
    }

    /// The array of these elements.
    package init(array elements: [JSONText]) {
        self.init("[" + elements.lazy.map(\.text).joined(separator: ",") + "]")
    }
}

extension Row {
    /// Reads a resource that is about to change.
    ///
    /// - Throws: 412 if it is not the version that the change is based on; `PostgresError` if it cannot be decoded.
    package func decode<T: Decodable>(_ type: T.Type, at version: Int?) throws -> T {
        guard try self["version", as: Int.self] == version else { throw Problem(.stale) }
        return try decode(type)
    }
}

extension Line: PostgresEncodable, PostgresDecodable {}
extension Prose: PostgresEncodable, PostgresDecodable {}
extension EmailAddress: PostgresEncodable, PostgresDecodable {}
extension Siren: PostgresEncodable, PostgresDecodable {}
extension Siret: PostgresEncodable, PostgresDecodable {}
extension PostalCode: PostgresEncodable, PostgresDecodable {}
extension Departement: PostgresEncodable, PostgresDecodable {}
extension WebAddress: PostgresEncodable, PostgresDecodable {}
extension Day: PostgresEncodable, PostgresDecodable {}

extension Telephone: PostgresEncodable, PostgresDecodable {
    /// A number that is valid only under an older numbering plan is read as it was stored.
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Telephone {
        guard let number = Telephone(kept: String(decoding: text, as: UTF8.self)) else {
            throw .mismatch(Telephone.self, type)
        }
        return number
    }
}

extension Identifier: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(into bytes: inout [UInt8]) {
        uuid.encode(into: &bytes)
    }
}

extension Timestamp: PostgresEncodable, PostgresDecodable {
    package static var postgresType: PostgresType { .timestamptz }

    /// PostgreSQL writes `2027-03-14 09:30:00.5+00` where RFC 3339 has `2027-03-14T09:30:00.5Z`; sessions are in UTC.
    package static func decode(postgres text: UnsafeRawBufferPointer, type: UInt32) throws(PostgresError) -> Timestamp {
        var written = String(decoding: text, as: UTF8.self)
        if written.hasSuffix("+00") {
            written = written.dropLast(3).replacing(" ", with: "T", maxReplacements: 1) + "Z"
        }
        do {
            return try Timestamp(validating: written)
        } catch {
            throw .mismatch(Timestamp.self, type)
        }
    }
}
