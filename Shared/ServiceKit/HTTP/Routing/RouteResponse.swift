package import ClubProtocol
package import HTTPTypes
package import Postgres

/// What a handler returns: a value, or rows that become JSON without being decoded. `Value` is only its type; what it
/// contains has the same form for all of them, so that code for any endpoint need not look it up.
package struct RouteResponse<Value: Codable & Sendable>: Sendable {
    enum Content: Sendable {
        case value(any Encodable & Sendable)
        case json([UInt8])
        case text(String)
        case file([UInt8])
        case none
    }

    var content: Content
    /// Sent as the `ETag`.
    package var version: Int?
    /// Replaces the operation's own status: 200 for a POST that found what it would have created.
    package var status: HTTPResponse.Status?
    /// Additional fields, such as `Location`.
    package var headers: HTTPFields = [:]
    /// Whether it contains a secret: what is stored for a replay with the same `Idempotency-Key` is then sealed.
    var isConfidential = false

    private init(_ content: Content, version: Int?) {
        self.content = content
        self.version = version
    }

    package static func value(_ value: Value, version: Int? = nil) -> RouteResponse {
        RouteResponse(.value(value), version: version)
    }

    /// JSON that is already encoded; the caller guarantees that it is a `Value`.
    package static func json(_ bytes: [UInt8], version: Int? = nil) -> RouteResponse {
        RouteResponse(.json(bytes), version: version)
    }

    /// The first row as the resource, straight from the server's bytes; the `ETag` from its column `version`, if it has one.
    ///
    /// - Throws: `Problem(.notFound)` if there is no row.
    package static func row(_ rows: Rows) throws -> RouteResponse {
        let (bytes, version) = try rows.resource()
        return RouteResponse(.json(bytes), version: version)
    }

    /// One page of a list: `{"items": […], "next": "…"}`.
    ///
    /// - Parameters:
    ///   - rows: of a query with `limit \(call.page.limit + 1)`; the extra row means that there is a next page.
    ///   - key: the columns by which the list is ordered, by their aliases (which may begin with `_`); none may be
    ///     NULL.
    package static func page<Item>(_ rows: Rows, _ page: PageRequest, key: String...) throws -> RouteResponse
    where Value == Page<Item> {
        RouteResponse(.json(try rows.page(page, key)), version: nil)
    }

    /// The encoded body; nil if there is none.
    func encoded() throws -> [UInt8]? {
        switch content {
        case .value(let value): try WireJSON.encode(value)
        case .json(let bytes): bytes
        case .text(let text): Array(text.utf8)
        case .file(let bytes): bytes
        case .none: nil
        }
    }
}

extension Rows {
    /// The first row as a resource: its JSON, and its version if it has one. Not inlined, as handlers are asynchronous:
    /// what they need of memory, inlined functions included, is allocated for each request.
    @inline(never)
    fileprivate func resource() throws -> (json: [UInt8], version: Int?) {
        guard let first else { throw Problem(.notFound) }
        var bytes: [UInt8] = []
        writeJSON(row: 0, into: &bytes)
        return (bytes, try? first.optional("version", as: Int.self))
    }

    @inline(never)
    fileprivate func page(_ page: PageRequest, _ key: [String]) throws -> [UInt8] {
        let count = Swift.min(self.count, page.limit)
        var bytes: [UInt8] = []
        bytes.append(contentsOf: "{\"items\":".utf8)
        writeJSONArray(range: 0..<count, into: &bytes)
        if self.count > page.limit, count > 0 {
            let row = self[count - 1]
            let texts = try key.map { column in
                try row.withBytes(column) { bytes in
                    guard let bytes else {
                        throw PostgresError(.decoding, column: column, message: "a key column of a list is NULL")
                    }
                    return String(decoding: bytes, as: UTF8.self)
                }
            }
            bytes.append(contentsOf: ",\"next\":\"".utf8)
            bytes.append(contentsOf: page.cursor(after: texts).utf8)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension RouteResponse where Value == Empty {
    /// 204: no content.
    package static var empty: RouteResponse { RouteResponse(.none, version: nil) }
}

extension RouteResponse where Value == FileDocument {
    /// A file as it is, in the media type that the operation produces.
    package static func file(_ bytes: [UInt8], headers: HTTPFields = [:]) -> RouteResponse {
        var answer = RouteResponse(.file(bytes), version: nil)
        answer.headers = headers
        return answer
    }
}

extension RouteResponse where Value == TextDocument {
    /// A text as it is, in the media type that the operation produces.
    package static func text(_ text: String, headers: HTTPFields = [:]) -> RouteResponse {
        var answer = RouteResponse(.text(text), version: nil)
        answer.headers = headers
        return answer
    }

    /// 303: the request is done, and the client continues with another page (RFC 9110, 15.4.4).
    package static func seeOther(_ location: String) -> RouteResponse {
        var answer = RouteResponse(.none, version: nil)
        answer.status = .seeOther
        answer.headers = [.location: location]
        return answer
    }
}
