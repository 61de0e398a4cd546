import AsyncHTTPClient
import ClubProtocol
import HTTPTypes

@testable import ServiceKit

/// A resource with a number, and every kind of operation on it.
struct Thing: Codable, Hashable, Sendable {
    var number: Int
}

enum ReadThing: Endpoint {
    static let operation = Operation(.get, "/v1/things/{thing}", "Reads.", access: .anyone)
    typealias Path = String
    struct Query: Codable, Sendable { var wait: Int? }
    typealias Response = Thing

    static var one: Request<ReadThing> { request(path: "one", query: Query(wait: nil)) }
}

enum MakeThing: Endpoint {
    static let operation = Operation(.post, "/v1/things", "Makes.", success: .created, access: .anyone)
    typealias Body = Thing
    typealias Response = Thing
}

enum ChangeThing: Endpoint {
    static let operation = Operation(.patch, "/v1/things", "Changes.", access: .anyone, requiresIfMatch: true)
    typealias Body = Thing
    typealias Response = Thing

    static var one: Request<ChangeThing> {
        Request(path: Empty(), query: Empty(), body: Thing(number: 1), ifMatch: 7)
    }
}

enum DeleteThing: Endpoint {
    static let operation = Operation(.delete, "/v1/things", "Deletes.", success: .noContent, access: .anyone)
}

enum StreamThings: Endpoint {
    static let operation = Operation(.get, "/v1/things", "Streams.", access: .anyone, produces: .ndjson)
    typealias Response = Thing
}

enum UploadThings: Endpoint {
    static let operation = Operation(.post, "/v1/uploads", "Uploads.", access: .anyone, consumes: .csv)
    typealias Response = Thing
}

/// Runs a client against a scripted server.
func withClient<Result>(
    credentials: ServiceClient.Credentials = .none,
    policy change: (inout ServiceClient.Policy) -> Void = { _ in },
    reacting react: @escaping @Sendable (ScriptedServer.Received, Int) -> ScriptedServer.Reaction,
    _ body: (ServiceClient, ScriptedServer) async throws -> Result
) async throws -> Result {
    var policy = ServiceClient.Policy()
    // Long enough that a slow machine changes no outcome; tests that need a timeout set it.
    policy.timeout = .seconds(60)
    change(&policy)
    let http = ServiceClient.makeHTTP()
    do {
        let result = try await ScriptedServer.with(react) { server in
            let client = ServiceClient(
                name: .directory, url: server.url, credentials: credentials, http: http, policy: policy)
            return try await body(client, server)
        }
        try await http.shutdown()
        return result
    } catch {
        try? await http.shutdown()
        throw error
    }
}

extension CircuitBreaker {
    /// For tests of other things.
    static let never = CircuitBreaker(limit: .max)
}
