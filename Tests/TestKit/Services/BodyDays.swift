package import ClubProtocol
import HTTPTypes

/// The days and times of what callers send, by a service's OpenAPI document, and whether each is refused where it cannot be.
package struct BodyDays: Sendable {
    /// A request that is right but for one day or time.
    package struct Request: Sendable {
        /// As the document has it: `POST /v1/events /startsAt`.
        package let place: String
        package let path: String
        package let role: Role
        /// The version that a change is based on.
        package let version: Int?
        /// With `#` for the day or the time.
        package let json: String

        package init(_ place: String, at path: String, as role: Role, version: Int? = nil, _ json: String) {
            self.place = place
            self.path = path
            self.role = role
            self.version = version
            self.json = json
        }
    }

    /// Of every service: since when deliveries are repeated, which is a question and may be any time.
    package static let questions = ["POST /v1/webhooks/{webhook}/replay /since": "a question"]
    /// Of those that hold copies: what the directory says about its own records.
    package static let told = [
        "POST /v1/personal-data /held/0/since": "a peer's", "POST /v1/personal-data /held/0/until": "a peer's",
    ]

    /// Where a body of a service has a day or a time, and whether it is a time: `POST /v1/events /startsAt`.
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

    /// Sends each request with days that cannot be.
    ///
    /// - Returns: what was not refused at its place, as a sentence; and the places of the document for which there is no request and no
    ///   reason, and those that it does not have.
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
