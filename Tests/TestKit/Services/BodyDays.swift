package import ClubProtocol
import HTTPTypes

/// The days and times in request bodies, by a service's OpenAPI document, and whether invalid ones are refused.
package struct BodyDays: Sendable {
    /// A request that is valid except for one day or time.
    package struct Request: Sendable {
        /// As in the document: `POST /v1/events /startsAt`.
        package let place: String
        package let path: String
        package let role: Role
        /// The version that a change is based on.
        package let version: Int?
        /// With `#` in place of the day or time.
        package let json: String

        package init(_ place: String, at path: String, as role: Role, version: Int? = nil, _ json: String) {
            self.place = place
            self.path = path
            self.role = role
            self.version = version
            self.json = json
        }
    }

    /// In every service: the start of a replay of deliveries, which is a query and may be any time.
    package static let questions = ["POST /v1/webhooks/{webhook}/replay /since": "a question"]
    /// In services that hold copies: what the directory says about its own records.
    package static let told = [
        "POST /v1/personal-data /held/0/since": "a peer's", "POST /v1/personal-data /held/0/until": "a peer's",
    ]

    /// Where request bodies have a day or a time, and whether it is a time: `POST /v1/events /startsAt`.
    package static func places(in document: JSONValue) -> [String: Bool] {
        var places: [String: Bool] = [:]
        for (path, operations) in document["paths"]?.members ?? [:] {
            for (method, operation) in operations.members ?? [:] {
                for content in (operation["requestBody"]?["content"]?.members ?? [:]).values {
                    guard let schema = content["schema"] else { continue }
                    walk(schema, document, seen: []) { pointer, isTime in
                        places["\(method.uppercased()) \(path) \(pointer)"] = isTime
                    }
                }
            }
        }
        return places
    }

    private static func walk(
        _ schema: JSONValue, _ document: JSONValue, at pointer: String = "", seen: Set<String>,
        _ found: (_ pointer: String, _ isTime: Bool) -> Void
    ) {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.split(separator: "/").last ?? "")
            guard !seen.contains(name), let named = document["components"]?["schemas"]?[name] else { return }
            return walk(named, document, at: pointer, seen: seen.union([name]), found)
        }
        switch schema["format"]?.string {
        case "date": found(pointer, false)
        case "date-time": found(pointer, true)
        default: break
        }
        for (key, property) in schema["properties"]?.members ?? [:] {
            walk(property, document, at: "\(pointer)/\(key)", seen: seen, found)
        }
        if let items = schema["items"] { walk(items, document, at: "\(pointer)/0", seen: seen, found) }
        for key in ["anyOf", "oneOf", "allOf"] {
            for part in schema[key]?.array ?? [] { walk(part, document, at: pointer, seen: seen, found) }
        }
    }

    /// Sends each request with invalid days.
    ///
    /// - Returns: one sentence for each that was not refused at its pointer; and the places in the document without a
    ///   request or a reason, and the places that it does not have.
    package static func faults(
        of service: TestService, _ requests: [Request], any reasons: [String: String] = [:]
    ) async throws -> [String] {
        let places = places(in: try await service.raw(.get, "/openapi.json").json())
        var faults = Set(places.keys).symmetricDifference(requests.map(\.place) + reasons.keys)
            .map { "\($0): no request, or no such place" }
        for request in requests {
            let parts = request.place.split(separator: " ")
            guard parts.count == 3, let isTime = places[request.place],
                let method = HTTPRequest.Method(rawValue: String(parts[0]))
            else { continue }
            for day in ["0206-11-28", "9999-12-31"] {
                var headers = ["Content-Type": "application/json"]
                if let version = request.version { headers["If-Match"] = "\"\(version)\"" }
                let json = request.json.replacing("#", with: isTime ? "\(day)T00:00:00Z" : day)
                let answer = try await service.raw(
                    method, request.path, role: request.role, headers: headers, json: json)
                let pointers = answer.status == 422 ? try answer.problem().errors?.map(\.pointer) ?? [] : []
                if !pointers.contains(String(parts[2])) {
                    faults.append("\(request.place) takes \(day): \(answer.status) \(answer.text)")
                }
            }
        }
        return faults.sorted()
    }
}

extension JSONValue {
    fileprivate var members: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }
}
