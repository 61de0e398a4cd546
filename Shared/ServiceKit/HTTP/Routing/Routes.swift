package import ClubProtocol
package import HTTPTypes
package import Postgres

/// The handlers of a service, each mounted on its endpoint.
package struct Routes {
    private(set) var routes: [Route] = []
    private(set) var constraints: [String: Problem] = [:]
    private(set) var problemPage: (@Sendable (Problem, String) -> String)?
    /// The first segments of paths whose whole subtree is pages for people.
    private(set) var pageFolders: [String] = []

    package init() {}

    /// Mounts an operation that changes nothing in this service; it takes its own connections.
    package mutating func read<E: Endpoint>(
        _: E.Type, _ handler: @escaping @Sendable (Call<E>) async throws -> RouteResponse<E.Response>
    ) {
        add(E.self, .json) { request, input, _ in
            let call = try request.call(E.self, input)
            return .answer(try request.wire(try await handler(call)))
        }
    }

    /// Mounts a change: one transaction per request, in which idempotency key, effect, journal and stored response
    /// commit together. The handler runs again after a serialization failure, so it must have no other effects.
    ///
    /// - Parameter isUncounted: whether a request for this path is not refused because there are many: it does not count
    ///   for the rate of callers without a token, and waits longer for a connection to the database. The path itself shows
    ///   that the caller was given a link by this service. It waits for nothing.
    package mutating func write<E: Endpoint>(
        _: E.Type, isUncounted: (@Sendable (E.Path) -> Bool)? = nil,
        _ handler: @escaping @Sendable (Call<E>, PostgresTransaction) async throws -> RouteResponse<E.Response>
    ) {
        add(E.self, .json, isUncounted: isUncounted) { request, input, _ in
            let call = try request.call(E.self, input)
            return .answer(
                try await request.transact(input, prepare: {}) { _, transaction in
                    try request.wire(try await handler(call, transaction))
                })
        }
    }

    /// Mounts a change that needs something before its transaction begins, such as a peer's response: no transaction
    /// ever waits for the network.
    package mutating func write<E: Endpoint, Prepared: Sendable>(
        _: E.Type, prepare: @escaping @Sendable (Call<E>) async throws -> Prepared,
        _ handler:
            @escaping @Sendable (Call<E>, Prepared, PostgresTransaction) async throws -> RouteResponse<E.Response>
    ) {
        add(E.self, .json) { request, input, _ in
            let call = try request.call(E.self, input)
            return .answer(
                try await request.transact(input, looksBefore: true, prepare: { try await prepare(call) }) {
                    prepared, transaction in
                    try request.wire(try await handler(call, prepared, transaction))
                })
        }
    }

    /// Mounts a response of many lines (NDJSON); `E.Response` is one of them. An error before the first bytes are sent
    /// is a problem document; a later one cuts the stream off.
    package mutating func stream<E: Endpoint>(
        _: E.Type, _ handler: @escaping @Sendable (Call<E>, LineWriter<E.Response>) async throws -> Void
    ) {
        add(E.self, .json) { request, input, sink in
            let call = try request.call(E.self, input)
            let output = request.output(to: sink)
            return try await request.write(output) { try await handler(call, LineWriter(output: output)) }
        }
    }

    /// Mounts a text that is streamed, in constant memory. Errors are reported as those of a ``stream(_:_:)`` are. A
    /// handler never writes while it holds a database connection: see `PostgresExecutor.forEachPage(_:_:)`.
    ///
    /// - Parameter headers: of the response, such as `Content-Disposition`.
    package mutating func download<E: Endpoint>(
        _: E.Type, headers: HTTPFields = [:],
        _ handler: @escaping @Sendable (Call<E>, TextWriter) async throws -> Void
    ) where E.Response == TextDocument {
        add(E.self, .json) { request, input, sink in
            let call = try request.call(E.self, input)
            let output = request.output(headers: headers, to: sink)
            return try await request.write(output) { try await handler(call, TextWriter(output: output)) }
        }
    }

    /// Mounts a ``download(_:headers:_:)`` of whole tables: two at a time, and one for each caller; others are answered
    /// 429.
    package mutating func export<E: Endpoint>(
        _: E.Type, headers: HTTPFields = [:],
        _ handler: @escaping @Sendable (Call<E>, TextWriter) async throws -> Void
    ) where E.Response == TextDocument {
        add(E.self, .json) { request, input, sink in
            let call = try request.call(E.self, input)
            let output = request.output(headers: headers, to: sink)
            return try await request.passExportGate {
                try await request.write(output) { try await handler(call, TextWriter(output: output)) }
            }
        }
    }

    /// Mounts an operation that reads a large body (CSV) as it arrives, and responds with JSON.
    package mutating func upload<E: Endpoint>(
        _: E.Type, _ handler: @escaping @Sendable (Call<E>, UploadBody) async throws -> RouteResponse<E.Response>
    ) {
        add(E.self, .upload) { request, input, _ in
            let call = try request.call(E.self, .bytes([]))
            let body =
                switch input {
                case .bytes(let bytes): UploadBody(bytes: bytes)
                case .upload(let body): body
                }
            return .answer(try request.wire(try await handler(call, body)))
        }
    }

    /// Sets the problem for a change that a database constraint refuses: `"person_email_key"`. Constraints without one
    /// are 409 `already-exists` (unique), 409 `conflict` (exclusion) or 422 (foreign key, check, not null).
    package mutating func constraint(_ name: String, _ problem: Problem) {
        constraints[name] = problem
    }

    /// Sets the page that people see for a problem, where an operation produces pages; with the request's identifier.
    ///
    /// - Parameter folders: below these, unknown paths are answered with a page too: `/annuaire`.
    package mutating func problemPage(
        below folders: [String] = [], _ page: @escaping @Sendable (Problem, String) -> String
    ) {
        problemPage = page
        pageFolders = folders
    }

    /// Compares what is mounted with what the service declares.
    ///
    /// - Throws: ``RoutesError``, one line that names what is missing or superfluous.
    package func validate(against endpoints: [any Endpoint.Type]) throws {
        let listed = Set(endpoints.map { Route.name(of: $0) })
        let mounted = Set(routes.map(\.name))
        let missing = listed.subtracting(mounted).sorted()
        guard missing.isEmpty else { throw RoutesError.missing(missing) }
        let unlisted = mounted.subtracting(listed).sorted()
        guard unlisted.isEmpty else { throw RoutesError.unlisted(unlisted) }
    }

    private mutating func add<E: Endpoint>(
        _: E.Type, _ input: Route.Input, isUncounted: (@Sendable (E.Path) -> Bool)? = nil, _ run: @escaping Route.Run
    ) {
        routes.append(
            Route(
                name: Route.name(of: E.self), operation: E.operation, input: input,
                hasBody: E.Body.self != Empty.self, isPaged: E.Query.self is any PagedQuery.Type,
                longestWait: .seconds((E.Query.self as? any WaitingQuery.Type)?.longestWait ?? 0),
                isUncounted: isUncounted.map { Self.onValues(of: E.self, $0) }, run: run))
    }

    /// The same condition on the values of the path's variables; false for values that no path of this endpoint has.
    private static func onValues<E: Endpoint>(
        of _: E.Type, _ condition: @escaping @Sendable (E.Path) -> Bool
    ) -> Route.Uncounted {
        let names = E.operation.variables
        return { values in
            guard let path = try? FlatCoding.decodePath(E.Path.self, names: names, values: values) else { return false }
            return condition(path)
        }
    }
}

/// Why the routes of a service cannot be served.
package enum RoutesError: Error, CustomStringConvertible {
    case missing([String])
    case unlisted([String])
    case mountedTwice(String)
    case unusableMethod(String)
    case tooManyVariables(String)

    package var description: String {
        switch self {
        case .missing(let names): "endpoints without a handler: \(names.joined(separator: ", "))"
        case .unlisted(let names): "handlers that the service does not list: \(names.joined(separator: ", "))"
        case .mountedTwice(let name): "two handlers for the method and path of \(name)"
        case .unusableMethod(let name): "\(name) has a method that cannot be routed"
        case .tooManyVariables(let name): "the path of \(name) has more than four variables"
        }
    }
}
