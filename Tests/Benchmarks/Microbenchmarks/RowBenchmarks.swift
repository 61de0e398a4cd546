import Postgres

extension Benchmark {
    /// Writes a page of rows as JSON.
    static let jsonWriter = Benchmark(name: "json-writer") {
        let rows = ExpertRow.page()
        return {
            var bytes: [UInt8] = []
            rows.writeJSONArray(range: 0..<rows.count, into: &bytes)
            return bytes.count
        }
    }

    /// Decodes a page of rows.
    static let rowDecoding = Benchmark(name: "row-decoding") {
        let rows = ExpertRow.page()
        return { try rows.decode(ExpertRow.self).reduce(0) { $0 + $1.brands.count } }
    }
}

/// A row like those of a list of experts.
private struct ExpertRow: Decodable {
    enum SubKind: String, Decodable { case webAgency, reseller }

    struct Consents: Decodable { var publicDirectory: Bool }

    var id: String
    var subKind: SubKind
    var name: String
    var siret: String?
    var telephone: String?
    var departements: [String]
    var brands: [String]
    var consents: Consents
    var enrolledOn: String
    var version: Int
    var updatedAt: String

    private static let columns: [(name: String, type: PostgresType, value: String?)] = [
        ("id", .uuid, "0190d2a4-7c3b-7a51-9e0f-5d2c8b7a6f41"), ("subKind", .text, "webAgency"),
        ("name", .text, "Agence \"Etcheverry\" & Fils"), ("siret", .text, "73282932000074"), ("telephone", .text, nil),
        ("departements", .textArray, "{64,40,65}"), ("brands", .textArray, #"{"Bella Vista",Océane,"Cîmes, Sud"}"#),
        ("consents", .jsonb, #"{"publicDirectory": true}"#), ("enrolledOn", .date, "2026-11-22"),
        ("version", .int4, "12"), ("updatedAt", .timestamptz, "2026-11-22 23:14:16.123456+00"),
        ("_cursor", .text, "etcheverry"),
    ]

    /// Fifty of them, as the server sends the result of a query.
    static func page() -> Rows {
        Rows(
            columns: columns.map { Rows.Column(name: $0.name, type: $0.type) },
            values: Array(repeating: columns.map(\.value), count: 50))
    }
}
