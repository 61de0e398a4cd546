import HTTPTypes

/// The OpenAPI 3.1 document of a service, derived from its endpoints.
package enum OpenAPI {
    /// Why the document cannot be derived: a programming error in an endpoint or in one of its types.
    package struct Underivable: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// The document as JSON; the same endpoints always give the same bytes.
    ///
    /// Throws ``Underivable`` if two operations share a name or a method and path, if the path variables are not the
    /// keys of the path's type, or if a type cannot be decoded from samples.
    package static func document(
        service: ServiceName, title: String, version: String, endpoints: [any Endpoint.Type]
    ) throws -> [UInt8] {
        let book = SchemaBook()
        let problem = try book.schema(of: ProblemDocument.self)
        var paths: [String: [String: JSONValue]] = [:]
        var names: Set<String> = []
        for endpoint in endpoints {
            let name = TypeName.operation(String(reflecting: endpoint))
            let operation = endpoint.operation
            let method = operation.method.rawValue.lowercased()
            guard names.insert(name).inserted else { throw Underivable("two operations are called \(name)") }
            guard paths[operation.path]?[method] == nil else {
                throw Underivable("two operations are at \(operation.method.rawValue) \(operation.path)")
            }
            let description = try OperationDescription(endpoint, name: name, book: book, problem: problem)
            paths[operation.path, default: [:]][method] = .object(try description.members)
        }
        let document: [String: JSONValue] = [
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string(title), "version": .string(version), "x-service": .string(service.rawValue),
            ]),
            "servers": .array([.object(["url": .string("/")])]),
            "paths": .object(paths.mapValues { .object($0) }),
            "components": .object([
                "schemas": .object(book.components),
                "parameters": .object(SharedParts.parameters),
                "headers": .object(SharedParts.headers),
                "securitySchemes": .object([
                    "bearer": .object([
                        "type": .string("http"), "scheme": .string("bearer"), "bearerFormat": .string("JWT"),
                    ])
                ]),
            ]),
        ]
        return try WireJSON.encode(JSONValue.object(document))
    }
}

/// The parts that every document has, whatever its operations.
enum SharedParts {
    static let parameters: [String: JSONValue] = [
        "IfMatch": .object([
            "name": .string("If-Match"), "in": .string("header"), "required": .bool(true),
            "description": .string("The version that the change is based on, from the ETag of a response."),
            "schema": .object([
                "type": .string("string"), "pattern": .string("^\"[0-9]+\"$"),
                "examples": .array([.string("\"3\"")]),
            ]),
        ]),
        "IdempotencyKey": .object([
            "name": .string("Idempotency-Key"), "in": .string("header"), "required": .bool(false),
            "description": .string(
                "Identifies the request: a repetition with the same key and body gets the same response for 24 hours."),
            "schema": .object([
                "type": .string("string"), "pattern": .string("^[!-~]{1,200}$"),
                "examples": .array([.string("01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11")]),
            ]),
        ]),
        "ClubTimeout": .object([
            "name": .string("Club-Timeout"), "in": .string("header"), "required": .bool(false),
            "description": .string("How many milliseconds the caller will wait; 504 after that."),
            "schema": .object([
                "type": .string("integer"), "minimum": .integer(0), "examples": .array([.integer(2000)]),
            ]),
        ]),
    ]

    static let headers: [String: JSONValue] = [
        "ETag": .object([
            "description": .string("The version of the resource."),
            "schema": .object(["type": .string("string"), "examples": .array([.string("\"3\"")])]),
        ]),
        "Location": .object([
            "description": .string("The page to look at next."),
            "schema": .object([
                "type": .string("string"), "format": .string("uri-reference"),
                "examples": .array([.string("/annuaire")]),
            ]),
        ]),
        "Deprecation": .object([
            "description": .string("Since when the operation is deprecated (RFC 9745)."),
            "schema": .object(["type": .string("string"), "examples": .array([.string("@1798761600")])]),
        ]),
        "Sunset": .object([
            "description": .string("When the operation will be removed (RFC 8594)."),
            "schema": .object([
                "type": .string("string"), "examples": .array([.string("Fri, 01 Jan 2027 00:00:00 GMT")]),
            ]),
        ]),
    ]

    static func parameter(_ name: String) -> JSONValue { .object(["$ref": .string("#/components/parameters/\(name)")]) }
    static func header(_ name: String) -> JSONValue { .object(["$ref": .string("#/components/headers/\(name)")]) }
}
