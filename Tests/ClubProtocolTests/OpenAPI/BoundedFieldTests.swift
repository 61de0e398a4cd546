import ClubProtocol
import Foundation
import HTTPTypes
import TestKit
import Testing

/// Every list and every integer of every request body of the services.
@Suite("the bounds of fields", .serialized)
struct BoundedFieldTests {
    private struct Taken {
        let name: String
        let endpoint: any Endpoint.Type
        let shape: BodyShape
    }

    /// The JSON bodies.
    private static let json = Result { try bodies("application/json") }

    private static func bodies(_ media: String) throws -> [Taken] {
        let services: [(ServiceName, [any Endpoint.Type])] = [
            (DirectoryAPI.service, DirectoryAPI.endpoints), (EventsAPI.service, EventsAPI.endpoints),
            (ContentAPI.service, ContentAPI.endpoints), (LobbyingAPI.service, LobbyingAPI.endpoints),
        ]
        return try services.flatMap { service, endpoints -> [Taken] in
            let document = try JSONDecoder().decode(
                JSONValue.self,
                from: Data(OpenAPI.document(service: service, title: "x", version: "1", endpoints: endpoints)))
            return endpoints.compactMap { endpoint -> Taken? in
                let operation = endpoint.operation
                let method = operation.method.rawValue.lowercased()
                let schema = document["paths"]?[operation.path]?[method]?["requestBody"]?["content"]?[media]?["schema"]
                guard let schema else { return nil }
                return Taken(
                    name: "\(service) \(operation.method) \(operation.path)", endpoint: endpoint,
                    shape: BodyShape(schema, in: document))
            }
        }
    }

    private func faults<E: Endpoint>(of _: E.Type, _ bytes: [UInt8]) -> [Problem.Field]? {
        ClubProtocolTests.faults { try StrictJSON.decode(E.Body.self, from: bytes) }
    }

    private func cost<E: Endpoint>(of _: E.Type, _ bytes: [UInt8]) -> Double {
        TextCost.nanoseconds { _ = try? StrictJSON.decode(E.Body.self, from: bytes) }
    }

    private func textCost(of endpoint: any Endpoint.Type, bytes: Int) -> Double {
        max(cost(of: endpoint, Array("{\"x\":\"\(String(repeating: "a", count: bytes))\"}".utf8)), 100_000)
    }

    @Test("every bound is in the documents")
    func documented() throws {
        let bodies = try Self.json.get() + Self.bodies("application/x-www-form-urlencoded")
        #expect(bodies.flatMap(\.shape.lists).count >= 40)
        #expect(bodies.flatMap(\.shape.numbers).count >= 25)
        for body in bodies {
            for list in body.shape.lists {
                let most = try #require(list.schema["maxItems"]?.integer, "\(body.name) \(list.pointer)")
                #expect(most <= 1000, "\(body.name) \(list.pointer)")
            }
            for number in body.shape.numbers {
                #expect(number.schema["minimum"]?.integer != nil, "\(body.name) \(number.pointer)")
                #expect(number.schema["maximum"]?.integer != nil, "\(body.name) \(number.pointer)")
            }
        }
    }

    @Test("a longer list is refused at its pointer, and costs no more than a text of as many bytes")
    func lists() throws {
        for body in try Self.json.get() {
            for list in body.shape.lists {
                let most = list.schema["maxItems"]?.integer ?? 0
                for count in [most + 1, 65_000] {
                    let bytes = try body.shape.json(copies: count, at: list)
                    let place = "\(body.name) \(list.pointer) \(count)"
                    // So many objects have more values than a document may have, which is found within one of them.
                    let pointers = faults(of: body.endpoint, bytes)?.map(\.pointer) ?? []
                    #expect(
                        pointers == [list.pointer]
                            || count > most + 1 && pointers.first?.hasPrefix("\(list.pointer)/") == true, "\(place)")
                    let ratio =
                        cost(of: body.endpoint, bytes) / textCost(of: body.endpoint, bytes: bytes.count)
                    #expect(ratio <= TextCost.limit, "\(place): \(ratio) times a text")
                }
            }
        }
    }

    @Test("the longest allowed list is accepted, or refused for its content, but not for its length")
    func longest() throws {
        for body in try Self.json.get() {
            for list in body.shape.lists {
                let bytes = try body.shape.json(copies: list.schema["maxItems"]?.integer ?? 0, at: list)
                let found = faults(of: body.endpoint, bytes)?.map(\.pointer) ?? []
                #expect(!found.contains(list.pointer), "\(body.name) \(list.pointer)")
            }
        }
    }

    @Test("a number out of bounds is refused at its pointer")
    func numbers() throws {
        for body in try Self.json.get() {
            for number in body.shape.numbers {
                let least = number.schema["minimum"]?.integer ?? 0
                let most = number.schema["maximum"]?.integer ?? 0
                for value in [1 << 31, 1 << 40, -1, Int.max, Int.min, least - 1, most + 1]
                where !(least...most).contains(value) {
                    let bytes = try WireJSON.encode(body.shape.with(.integer(value), at: number.pointer))
                    let found = faults(of: body.endpoint, bytes)
                    #expect(found?.map(\.pointer) == [number.pointer], "\(body.name) \(number.pointer) \(value)")
                    #expect(found?.first?.detail == "must be from \(least) to \(most)")
                }
                for value in [least, most] {
                    let bytes = try WireJSON.encode(body.shape.with(.integer(value), at: number.pointer))
                    let found = faults(of: body.endpoint, bytes)?.map(\.pointer) ?? []
                    #expect(!found.contains(number.pointer), "\(body.name) \(number.pointer) \(value)")
                }
            }
        }
    }

    @Test("so is one in a form, and one too large for any integer")
    func forms() throws {
        let form = "personVersion=1&topics=a"
        func found(_ version: String) -> [Problem.Field]? {
            ClubProtocolTests.faults {
                try FlatCoding.decodeQuery(ChangeOwnRecord.Body.self, from: "version=\(version)&\(form)")
            }
        }
        #expect(found("1") == nil && found("2147483647") == nil)
        for version in ["0", "-1", "2147483648", "\(1 << 40)", "\(Int.max)", "99999999999999999999"] {
            #expect(found(version)?.map(\.pointer) == ["version"], "\(version)")
        }
        for number in ["9223372036854775808", "1e30", "-1e30", "1e3"] {
            let json = #"{"topics":["webSite"],"postalCode":"64000","description":"x","places":\#(number)}"#
            #expect(
                faults(of: CreateReferral.self, Array(json.utf8)) == [.init("/places", "must be from 1 to 3")],
                "\(number)")
        }
    }
}
