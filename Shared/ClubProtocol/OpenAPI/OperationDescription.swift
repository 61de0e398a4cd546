import HTTPTypes

/// One operation of the document.
struct OperationDescription {
    private let operation: Operation
    private let name: String
    private let problem: JSONValue
    /// The schemas by name, and which of them are required.
    private let path: [String: JSONValue]
    private let query: [String: (schema: JSONValue, required: Bool)]
    /// Nil if the operation does not take JSON.
    private let body: JSONValue?
    /// Nil if the response has no body.
    private let response: JSONValue?
    /// Whether the response is one resource with a version.
    private let versioned: Bool

    init<E: Endpoint>(_ endpoint: E.Type, name: String, book: SchemaBook, problem: JSONValue) throws {
        operation = endpoint.operation
        self.name = name
        self.problem = problem

        let variables = operation.variables
        let pathProperties =
            if E.Path.self is any PathVariable.Type {
                try [variables.first ?? "": book.schema(of: E.Path.self)]
            } else {
                try Self.parameters(E.Path.self, of: name, book: book).0
            }
        guard Set(variables) == Set(pathProperties.keys), Set(variables).count == variables.count else {
            throw OpenAPI.Underivable("the variables of \(operation.path) are not the keys of \(name)'s Path")
        }
        path = pathProperties

        let (queryProperties, required) = try Self.parameters(E.Query.self, of: name, book: book)
        query = queryProperties.reduce(into: [:]) { query, property in
            // An array without values is empty.
            let isArray = property.value["type"]?.string == "array"
            query[property.key] = (property.value, required.contains(property.key) && !isArray)
        }

        if E.Body.self == Empty.self || ![.json, .form].contains(operation.consumes) {
            body = nil
        } else {
            let schema = try book.schema(of: E.Body.self)
            book.close(schema)
            body = schema
        }

        if E.Response.self == Empty.self || operation.success.kind == .redirection {
            response = nil
            versioned = false
        } else {
            response = operation.produces.isText ? String.schema(in: book) : try book.schema(of: E.Response.self)
            versioned =
                if operation.produces == .json, case .object(let properties, _) = try book.shape(of: E.Response.self) {
                    properties["version"] != nil
                } else { false }
        }
    }

    private static func parameters<T: Decodable>(
        _ type: T.Type, of name: String, book: SchemaBook
    ) throws -> ([String: JSONValue], Set<String>) {
        guard case .object(let properties, let required) = try book.shape(of: type) else {
            throw OpenAPI.Underivable("the parameters of \(name) have no names")
        }
        return (properties, required)
    }

    var members: [String: JSONValue] {
        get throws {
            var members: [String: JSONValue] = [
                "operationId": .string(name), "summary": .string(operation.summary),
                "parameters": .array(parameters), "responses": .object(try responses),
            ]
            if let body {
                members["requestBody"] = requestBody(body)
            } else if operation.consumes != .json {
                members["requestBody"] = requestBody(.object(["type": .string("string")]))
            }
            switch operation.access {
            case .anyone: members["security"] = .array([])
            case .roles(let roles):
                members["security"] = .array([.object(["bearer": .array([])])])
                members["x-roles"] = .array(Role.allCases.filter(roles.contains).map { .string($0.rawValue) })
            }
            if operation.deprecation != nil { members["deprecated"] = .bool(true) }
            return members
        }
    }

    private func requestBody(_ schema: JSONValue) -> JSONValue {
        let content = operation.bodyNames.map { ($0, JSONValue.object(["schema": schema])) }
        return .object([
            "required": .bool(true), "content": .object(Dictionary(uniqueKeysWithValues: content)),
        ])
    }

    private static func content(_ schema: JSONValue, _ media: String) -> JSONValue {
        .object([media: .object(["schema": schema])])
    }

    private var parameters: [JSONValue] {
        func parameter(_ name: String, in place: String, required: Bool, _ schema: JSONValue) -> JSONValue {
            .object([
                "name": .string(name), "in": .string(place), "required": .bool(required), "schema": schema,
            ])
        }
        var parameters = path.sorted { $0.key < $1.key }.map {
            parameter($0.key, in: "path", required: true, $0.value)
        }
        parameters += query.sorted { $0.key < $1.key }.map {
            parameter($0.key, in: "query", required: $0.value.required, $0.value.schema)
        }
        if operation.requiresIfMatch { parameters.append(SharedParts.parameter("IfMatch")) }
        if operation.method == .post { parameters.append(SharedParts.parameter("IdempotencyKey")) }
        parameters.append(SharedParts.parameter("ClubTimeout"))
        return parameters
    }

    // MARK: Responses

    private var responses: [String: JSONValue] {
        get throws {
            func answer(_ status: HTTPResponse.Status) -> [String: JSONValue] {
                var answer: [String: JSONValue] = ["description": .string(status.reasonPhrase)]
                if let response { answer["content"] = Self.content(response, operation.produces.rawValue) }
                return answer
            }
            var success = answer(operation.success)
            var headers: [String: JSONValue] = [:]
            if operation.success.kind == .redirection { headers["Location"] = SharedParts.header("Location") }
            if versioned { headers["ETag"] = SharedParts.header("ETag") }
            if operation.deprecation != nil {
                headers["Deprecation"] = SharedParts.header("Deprecation")
                headers["Sunset"] = SharedParts.header("Sunset")
            }
            if !headers.isEmpty { success["headers"] = .object(headers) }
            var responses = ["\(operation.success.code)": JSONValue.object(success)]
            for status in operation.alternatives {
                var other = answer(status)
                other["headers"] = success["headers"]
                guard responses.updateValue(.object(other), forKey: "\(status.code)") == nil else {
                    throw OpenAPI.Underivable("\(name) answers \(status.code) twice")
                }
            }
            for status in operation.redirects {
                guard responses["\(status.code)"] == nil else {
                    throw OpenAPI.Underivable("\(name) answers \(status.code) for success and for a redirection")
                }
                responses["\(status.code)"] = .object([
                    "description": .string(status.reasonPhrase),
                    "headers": .object(["Location": SharedParts.header("Location")]),
                ])
            }
            for (status, types) in Dictionary(grouping: problems, by: \.status.code) {
                guard responses["\(status)"] == nil else {
                    throw OpenAPI.Underivable("\(name) answers \(status) for success and for a problem")
                }
                let slugs = Set(types.map { "`\($0.slug)`: \($0.title)." }).sorted().joined(separator: " ")
                responses["\(status)"] = .object(["description": .string(slugs), "content": problemContent])
            }
            responses["default"] = .object(["description": .string("Any other problem."), "content": problemContent])
            return responses
        }
    }

    /// Problems of a page are pages too, except at connection level, where the requested operation is not yet known.
    private var problemContent: JSONValue {
        var content: [String: JSONValue] = [Self.problemMedia: .object(["schema": problem])]
        if operation.produces == .html {
            content[operation.produces.rawValue] = .object(["schema": .object(["type": .string("string")])])
        }
        return .object(content)
    }

    private static let problemMedia = "application/problem+json"

    /// The operation's own problems, those that follow from its input, and those that every request can have.
    private var problems: [ProblemType] {
        var problems = operation.problems
        problems += [
            .malformed, .requestTimeout, .contentTooLarge, .uriTooLong, .expectationFailed, .tooManyRequests,
            .headerTooLarge, .internal, .unavailable, .overloaded, .deadline,
            // An invalid token is refused even if none is required.
            .unauthenticated,
        ]
        if operation.access != .anyone { problems.append(.forbidden) }
        if !path.isEmpty { problems.append(.notFound) }
        if !query.isEmpty || body != nil || operation.consumes != .json { problems.append(.invalid) }
        if body != nil || operation.consumes != .json { problems.append(.unsupportedMediaType) }
        if operation.method == .post { problems += [.stillRunning, .keyReused] }
        if operation.requiresIfMatch { problems += [.preconditionRequired, .stale] }
        return problems
    }
}
