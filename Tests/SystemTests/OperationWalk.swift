import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestKit
import Testing

/// One operation, as described by a service's own document, with a plausible request.
struct WalkedOperation: Sendable {
    let service: ServiceName
    let method: HTTPMethod
    /// With its variables in braces.
    let path: String
    let parameters: [String]
    let media: String?
    let shape: BodyShape
    let role: Role

    var body: JSONValue { shape.sample }

    /// The path with every variable filled in.
    func path(filling name: String? = nil, with value: String = "") -> String {
        path.split(separator: "/").map { segment in
            guard segment.hasPrefix("{") else { return "/\(segment)" }
            return segment == "{\(name ?? "")}" ? "/\(value)" : "/01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"
        }.joined()
    }

    var variables: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// All operations of a service; new ones are included automatically.
    static func all(of service: ServiceName, in club: TestClub) async throws -> [WalkedOperation] {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "\(club[service].url)/openapi.json"), timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 8 << 20)
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))
        var operations: [WalkedOperation] = []
        for (path, methods) in members(document["paths"]) {
            for (method, operation) in members(methods) {
                let contents = members(operation["requestBody"]?["content"]).sorted { $0.key < $1.key }
                let roles = (operation["x-roles"]?.array ?? []).compactMap(\.string).compactMap(Role.init(rawValue:))
                // Once for each media type that it accepts.
                for content in contents.isEmpty ? [nil] : contents.map(Optional.some) {
                    operations.append(
                        WalkedOperation(
                            service: service, method: HTTPMethod(rawValue: method.uppercased()), path: path,
                            parameters: (operation["parameters"]?.array ?? []).filter { $0["in"]?.string == "query" }
                                .compactMap { $0["name"]?.string },
                            media: content?.key,
                            shape: BodyShape(
                                content?.value["schema"] ?? .object(["type": .string("object")]), in: document),
                            role: roles.isEmpty || roles.contains(.operator) ? .operator : roles[0]))
                }
            }
        }
        return operations.sorted { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }
    }

    static func members(_ value: JSONValue?) -> [String: JSONValue] {
        if case .object(let members) = value { members } else { [:] }
    }

    /// A service's response.
    struct Answer {
        let status: Int
        let bytes: [UInt8]
    }

    /// Sends the request, and returns the status.
    func send(
        to club: TestClub, path: String? = nil, query: String = "", headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Int {
        try await answer(from: club, path: path, query: query, headers: headers, body: body).status
    }

    /// Sends the request; for a response of more than 8 MiB, returns only the status.
    func answer(
        from club: TestClub, path: String? = nil, query: String = "", headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: club[service].url + (path ?? self.path()) + query)
        request.method = method
        request.headers = ["Authorization": "Bearer \(try club.token(role))", "If-Match": "\"1\""]
        if let media {
            request.headers.add(name: "Content-Type", value: media)
            request.body = .bytes(ByteBuffer(bytes: body ?? sampleBytes))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try? await response.body.collect(upTo: 8 << 20)
        return Answer(status: Int(response.status.code), bytes: bytes.map { Array($0.readableBytesView) } ?? [])
    }

    private var sampleBytes: [UInt8] {
        switch media {
        case "application/json": (try? WireJSON.encode(body)) ?? []
        case "text/csv": Array("name\nx\n".utf8)
        default: Array(Self.form(Self.members(body)).utf8)
        }
    }

    static func form(_ members: [String: JSONValue], replacing name: String? = nil, with text: String = "") -> String {
        members.sorted { $0.key < $1.key }.map { key, value in
            let plain: String =
                switch value {
                case .string(let text): text
                case .integer(let number): "\(number)"
                case .bool(let truth): "\(truth)"
                case .array(let values): values.first?.string ?? ""
                default: ""
                }
            return "\(key)=\(percent(key == name ? text : plain))"
        }.joined(separator: "&")
    }

    /// Copies of the body with one of its strings, numbers or booleans replaced, and with one more key in each object.
    static func variants(of value: JSONValue, with text: String) -> [JSONValue] {
        switch value {
        case .object(let members):
            members.keys.sorted().flatMap { key in
                variants(of: members[key] ?? .null, with: text).map { .object(members.merging([key: $0]) { $1 }) }
            } + [.object(members.merging([text: .integer(1)]) { $1 })]
        case .array(let values):
            values.first.map { variants(of: $0, with: text).map { .array([$0]) } } ?? [.array([.string(text)])]
        default: [.string(text)]
        }
    }

    static func percent(_ text: String) -> String {
        text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
