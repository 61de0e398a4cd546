import ClubProtocol
import HTTPTypes
import Testing

@Suite("The documents of the services")
struct ServiceDocumentTests {
    private static let services: [(ServiceName, [any Endpoint.Type])] = [
        (DirectoryAPI.service, DirectoryAPI.endpoints), (EventsAPI.service, EventsAPI.endpoints),
        (ContentAPI.service, ContentAPI.endpoints), (LobbyingAPI.service, LobbyingAPI.endpoints),
    ]

    private func document(_ service: ServiceName) throws -> [UInt8] {
        let endpoints = Self.services.first { $0.0 == service }?.1 ?? []
        return try OpenAPI.document(
            service: service, title: service.rawValue, version: "1.0.0", endpoints: endpoints)
    }

    @Test("every service has a document with all of its operations", arguments: ServiceName.allCases)
    func whole(service: ServiceName) throws {
        let document = try StrictJSON.decode(JSONValue.self, from: document(service))
        guard case .object(let paths)? = document["paths"] else {
            Issue.record("no paths")
            return
        }
        let operations = paths.values.reduce(0) { count, path in
            if case .object(let methods) = path { count + methods.count } else { count }
        }
        #expect(operations == Self.services.first { $0.0 == service }?.1.count)
    }

    @Test("every form of the directory's pages declares that it redirects to another page")
    func forms() {
        let operations = DirectoryAPI.endpoints.map { $0.operation }
        let forms = operations.filter { $0.consumes == .form }
        // Submitting the e-mail answers with a page of its own, for every caller.
        #expect(forms.filter { $0.success != .seeOther }.map(\.path) == ["/v1/self-service"])
    }

    @Test(
        "an OpenAPI validator reports no errors in any of them",
        .enabled(if: Python.hasValidator, "openapi-spec-validator is not installed"), arguments: ServiceName.allCases)
    func valid(service: ServiceName) throws {
        let result = try Python.validate(document(service))
        #expect(result.status == 0, "\(result.output)")
    }
}
