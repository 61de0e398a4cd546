import ClubProtocol
import Foundation
import HTTPTypes
import Testing

private struct Fair: Codable {
    enum State: String, Codable, CaseIterable { case draft, open, closed }
    struct Stand: Codable {
        var name: Line
        var price: Money
        var neighbours: [Stand]?
        var parent: [String: Stand]?
    }

    var id: Identifier<Fair>
    var state: State
    var states: [State]
    var title: Line
    var note: Prose?
    var stands: [Stand]
    var counts: [String: Int]
    var size: Double
    var open: Bool
    var extra: JSONValue?
    var tag: Tag
    var version: Int
    var createdAt: Timestamp
}

/// A plain wrapper of a text.
private struct Tag: RawRepresentable, Codable { var rawValue: String }

private enum ReadFair: Endpoint {
    static let operation = Operation(.get, "/v1/fairs/{fair}", "Reads a fair.", access: .roles(.auditor, .operator))
    typealias Path = Identifier<Fair>
    typealias Response = Fair
}

private enum ListFairs: Endpoint {
    static let operation = Operation(.get, "/v1/fairs", "Lists fairs.", access: .anyone)
    struct Filter: Codable, Sendable {
        var state: Fair.State?
        var departement: [Departement] = []
        var year: Int
    }
    typealias Query = Paged<Filter>
    typealias Response = Page<Fair>
}

private enum CreateFair: Endpoint {
    static let operation = Operation(
        .post, "/v1/fairs", "Creates a fair.", success: .created, access: .roles(.operator),
        problems: [.alreadyExists, .conflict])
    struct Body: Codable, Sendable {
        var title: Line
        var stands: [Fair.Stand]
        var siren: Siren?
    }
    typealias Response = Fair
}

private enum ChangeFair: Endpoint {
    static let operation = Operation(
        .patch, "/v1/fairs/{fair}", "Changes a fair.", access: .roles(.operator), problems: [.transitionNotAllowed],
        requiresIfMatch: true)
    typealias Path = ReadFair.Path
    struct Body: Codable, Sendable {
        var title: Line?
        var note: Patched<Prose>
        var state: Patched<Fair.State>
        var price: Patched<Money>
    }
    typealias Response = Fair
}

private enum DeleteFair: Endpoint {
    static let operation = Operation(
        .delete, "/v1/fairs/{fair}", "Deletes a fair.", success: .noContent, access: .roles(.operator),
        deprecation: .init(since: Timestamp(microseconds: 0), sunset: Timestamp(microseconds: 1)))
    typealias Path = ReadFair.Path
}

private enum ExportFairs: Endpoint {
    static let operation = Operation(
        .get, "/v1/fairs/export", "Exports fairs.", access: .roles(.operator), produces: .ndjson)
    typealias Response = Fair
}

private enum ImportFairs: Endpoint {
    struct Report: Codable, Sendable { var rows: Int }
    static let operation = Operation(
        .post, "/v1/fairs/import", "Imports fairs.", access: .roles(.operator), consumes: .csv)
    typealias Response = Report
}

private enum SendFair: Endpoint {
    static let operation = Operation(
        .post, "/v1/fair-form", "Takes a form.", success: .seeOther, access: .anyone, consumes: .form, produces: .html)
    struct Body: Codable, Sendable { var title: Line }
    typealias Response = TextDocument
}

private enum ShowFair: Endpoint {
    static let operation = Operation(
        .get, "/fairs/{fair}", "Shows a fair.", redirects: [.movedPermanently], access: .anyone, produces: .html)
    typealias Path = ReadFair.Path
    typealias Response = TextDocument
}

@Suite("The OpenAPI document")
struct OpenAPITests {
    private let endpoints: [any Endpoint.Type] = [
        ReadFair.self, ListFairs.self, CreateFair.self, ChangeFair.self, DeleteFair.self, ExportFairs.self,
        ImportFairs.self, SendFair.self, ShowFair.self, ReadChanges.self,
    ]

    private func bytes(_ endpoints: [any Endpoint.Type]? = nil) throws -> [UInt8] {
        try OpenAPI.document(
            service: .events, title: "Fairs", version: "1.2.3", endpoints: endpoints ?? self.endpoints)
    }

    private func document() throws -> JSONValue { try StrictJSON.decode(JSONValue.self, from: bytes()) }

    private func operation(_ path: String, _ method: String) throws -> JSONValue {
        try #require(try document()["paths"]?[path]?[method])
    }

    private func schema(_ name: String) throws -> JSONValue {
        try #require(try document()["components"]?["schemas"]?[name], "no schema \(name)")
    }

    private func reference(_ name: String) -> JSONValue { .object(["$ref": .string("#/components/schemas/\(name)")]) }

    @Test("the same endpoints give the same bytes, in whatever order they are listed")
    func deterministic() throws {
        #expect(try bytes() == bytes())
        #expect(try bytes() == bytes(endpoints.reversed()))
    }

    @Test("the document has its title and version")
    func head() throws {
        let document = try document()
        #expect(document["openapi"] == .string("3.1.0"))
        #expect(document["info"]?["title"] == .string("Fairs"))
        #expect(document["info"]?["version"] == .string("1.2.3"))
        #expect(document["info"]?["x-service"] == .string("events"))
        #expect(document["components"]?["securitySchemes"]?["bearer"]?["scheme"] == .string("bearer"))
    }

    @Test("a type becomes a schema of its properties; optional ones are not required")
    func properties() throws {
        let fair = try schema("Fair")
        let properties = try #require(fair["properties"])
        #expect(fair["type"] == .string("object"))
        #expect(
            fair["required"]?.array?.compactMap(\.string) == [
                "counts", "createdAt", "id", "open", "size", "stands", "state", "states", "tag", "title", "version",
            ])
        #expect(properties["id"]?["format"] == .string("uuid"))
        #expect(properties["createdAt"]?["format"] == .string("date-time"))
        #expect(properties["title"]?["maxLength"] == .integer(200))
        #expect(properties["note"]?["maxLength"] == .integer(20_000))
        #expect(properties["state"] == reference("FairState"))
        #expect(properties["states"] == .object(["type": .string("array"), "items": reference("FairState")]))
        #expect(properties["stands"]?["items"] == reference("FairStand"))
        #expect(properties["counts"]?["additionalProperties"]?["type"] == .string("integer"))
        #expect(properties["size"] == .object(["type": .string("number")]))
        #expect(properties["open"] == .object(["type": .string("boolean")]))
        #expect(properties["version"]?["type"] == .string("integer"))
        #expect(properties["extra"] == .object([:]))
        #expect(properties["tag"] == .object(["type": .string("string")]))
        #expect(try schema("FairState")["enum"] == .array([.string("draft"), .string("open"), .string("closed")]))
        #expect(try document()["components"]?["schemas"]?["Tag"] == nil)
    }

    @Test("a recursive type refers to itself")
    func recursion() throws {
        let stand = try schema("FairStand")
        #expect(stand["properties"]?["neighbours"]?["items"] == reference("FairStand"))
        #expect(stand["properties"]?["parent"]?["additionalProperties"] == reference("FairStand"))
        #expect(stand["properties"]?["price"] == reference("Money"))
    }

    @Test("schemas of requests are closed, schemas only in responses are open")
    func closed() throws {
        for name in ["CreateFairBody", "ChangeFairBody", "FairStand", "Money"] {
            #expect(try schema(name)["additionalProperties"] == .bool(false), "\(name)")
        }
        for name in ["Fair", "PageOfFair", "ProblemDocument"] {
            #expect(try schema(name)["additionalProperties"] == nil, "\(name)")
        }
    }

    @Test("a patched property may be null, an optional one may not")
    func nullable() throws {
        let patch = try #require(try schema("ChangeFairBody")["properties"])
        #expect(try schema("ChangeFairBody")["required"] == nil)
        #expect(patch["title"]?["type"] == .string("string"))
        #expect(patch["note"]?["type"] == .array([.string("string"), .string("null")]))
        let null = JSONValue.object(["type": .string("null")])
        #expect(patch["state"] == .object(["anyOf": .array([reference("FairState"), null])]))
        #expect(patch["price"] == .object(["anyOf": .array([reference("Money"), null])]))
    }

    @Test("a page is named after its items")
    func page() throws {
        let page = try schema("PageOfFair")
        #expect(page["required"] == .array([.string("items")]))
        #expect(page["properties"]?["items"]?["items"] == reference("Fair"))
        #expect(page["properties"]?["next"]?["maxLength"] == .integer(2048))
    }

    @Test("an operation has its name, its summary, its roles and its parameters")
    func parameters() throws {
        let list = try operation("/v1/fairs", "get")
        #expect(list["operationId"] == .string("listFairs"))
        #expect(list["summary"] == .string("Lists fairs."))
        #expect(list["security"] == .array([]))
        #expect(list["x-roles"] == nil)
        #expect(list["requestBody"] == nil)
        let parameters = try #require(list["parameters"]?.array)
        #expect(
            parameters.compactMap { $0["name"]?.string } == ["cursor", "departement", "limit", "state", "year"])
        #expect(parameters.map { $0["required"] == .bool(true) } == [false, false, false, false, true, false])
        #expect(parameters[1]["schema"]?["items"]?["type"] == .string("string"))
        #expect(parameters[2]["schema"]?["maximum"] == .integer(200))
        #expect(parameters[3]["schema"] == reference("FairState"))
        #expect(parameters[5]["$ref"] == .string("#/components/parameters/ClubTimeout"))

        let read = try operation("/v1/fairs/{fair}", "get")
        #expect(read["x-roles"] == .array([.string("operator"), .string("auditor")]))
        #expect(read["security"] == .array([.object(["bearer": .array([])])]))
        #expect(read["parameters"]?.array?.first?["in"] == .string("path"))
        #expect(read["parameters"]?.array?.first?["required"] == .bool(true))
    }

    @Test("a POST takes an Idempotency-Key, and a change that needs one an If-Match")
    func headers() throws {
        func references(_ path: String, _ method: String) throws -> [String] {
            try operation(path, method)["parameters"]?.array?.compactMap {
                $0["$ref"]?.string?.split(separator: "/").last
            }
            .map(String.init) ?? []
        }
        #expect(try references("/v1/fairs", "post") == ["IdempotencyKey", "ClubTimeout"])
        #expect(try references("/v1/fairs/{fair}", "patch") == ["IfMatch", "ClubTimeout"])
        #expect(try references("/v1/fairs/{fair}", "get") == ["ClubTimeout"])
    }

    @Test("a response has its status, its media type, and an ETag if it is one resource")
    func answers() throws {
        let created = try operation("/v1/fairs", "post")["responses"]?["201"]
        #expect(created?["content"]?["application/json"]?["schema"] == reference("Fair"))
        #expect(created?["headers"]?["ETag"] != nil)
        #expect(try operation("/v1/fairs", "get")["responses"]?["200"]?["headers"] == nil)
        let deleted = try operation("/v1/fairs/{fair}", "delete")
        #expect(deleted["responses"]?["204"]?["content"] == nil)
        #expect(deleted["deprecated"] == .bool(true))
        #expect(deleted["responses"]?["204"]?["headers"]?["Sunset"] != nil)
        let lines = try operation("/v1/fairs/export", "get")["responses"]?["200"]
        #expect(lines?["content"]?["application/x-ndjson"]?["schema"] == reference("Fair"))
        #expect(lines?["headers"] == nil)
        #expect(try operation("/v1/fairs/import", "post")["requestBody"]?["content"]?["text/csv"] != nil)
        let body = try operation("/v1/fairs", "post")["requestBody"]
        #expect(body?["required"] == .bool(true))
        #expect(body?["content"]?["application/json"]?["schema"] == reference("CreateFairBody"))
    }

    @Test("an operation that redirects has a Location and no body")
    func redirects() throws {
        let form = try operation("/v1/fair-form", "post")["responses"]
        let location = JSONValue.object(["$ref": .string("#/components/headers/Location")])
        #expect(form?["303"]?["headers"]?["Location"] == location && form?["303"]?["content"] == nil)
        #expect(form?["200"] == nil)
        let page = try operation("/fairs/{fair}", "get")["responses"]
        #expect(page?["200"]?["content"]?["text/html; charset=utf-8"] != nil)
        #expect(page?["301"]?["headers"]?["Location"] == location && page?["301"]?["content"] == nil)
    }

    @Test("problems are listed once per status, with their slugs")
    func problems() throws {
        func responses(_ path: String, _ method: String) throws -> [String: JSONValue] {
            guard case .object(let members)? = try operation(path, method)["responses"] else { return [:] }
            return members
        }
        let create = try responses("/v1/fairs", "post")
        let conflict = try #require(create["409"])
        for slug in ["already-exists", "conflict", "still-running"] {
            #expect(conflict["description"]?.string?.contains("`\(slug)`") == true)
        }
        #expect(conflict["content"]?["application/problem+json"]?["schema"] == reference("ProblemDocument"))
        #expect(create["422"]?["description"]?.string?.contains("idempotency-key-reused") == true)
        #expect(create["404"] == nil)
        let anyone = try responses("/v1/fairs", "get")
        #expect(anyone["403"] == nil && anyone["415"] == nil)
        // The responses that every operation can give.
        let always = ["400", "401", "408", "413", "414", "417", "429", "431", "500", "503", "504", "default"]
        #expect(always.allSatisfy { anyone[$0] != nil })
        let patch = try responses("/v1/fairs/{fair}", "patch")
        #expect(["401", "403", "404", "412", "413", "415", "428", "503", "504"].allSatisfy { patch[$0] != nil })
    }

    @Test("the problems of a page are pages, those of the connection are documents")
    func pageProblems() throws {
        let page = try operation("/fairs/{fair}", "get")["responses"]
        for status in ["404", "429", "default"] {
            let content = page?[status]?["content"]
            #expect(content?["text/html; charset=utf-8"]?["schema"]?["type"] == .string("string"), "\(status)")
            #expect(content?["application/problem+json"]?["schema"] == reference("ProblemDocument"), "\(status)")
        }
        #expect(try operation("/v1/fairs", "get")["responses"]?["404"]?["content"]?["text/html; charset=utf-8"] == nil)
    }

    @Test("an alternative success status has the same body")
    func alternatives() throws {
        enum Repeatable: Endpoint {
            static let operation = Operation(
                .post, "/v1/repeatable", "Makes.", success: .created, alternatives: [.ok], access: .anyone)
            struct Response: Codable, Sendable { var version: Int }
        }
        enum Twice: Endpoint {
            static let operation = Operation(.post, "/v1/twice", "Makes.", alternatives: [.ok], access: .anyone)
        }
        let document = try StrictJSON.decode(JSONValue.self, from: bytes([Repeatable.self]))
        let responses = document["paths"]?["/v1/repeatable"]?["post"]?["responses"]
        #expect(responses?["200"]?["content"] == responses?["201"]?["content"])
        #expect(responses?["200"]?["headers"]?["ETag"] != nil && responses?["201"]?["content"] != nil)
        #expect(throws: OpenAPI.Underivable.self) { try bytes([Twice.self]) }
    }

    @Test("endpoints that contradict each other or their paths give no document")
    func contradictions() {
        enum WrongPath: Endpoint {
            static let operation = Operation(.get, "/v1/things/{thing}", "Reads.", access: .anyone)
            struct Path: PathVariables { var other: Identifier<Never> }
        }
        enum SamePlace: Endpoint {
            static let operation = Operation(.get, "/v1/fairs", "Lists.", access: .anyone)
        }
        enum Unwilling: Endpoint {
            struct Odd: Codable, Sendable {
                init() {}
                init(from decoder: any Decoder) throws {
                    guard try decoder.singleValueContainer().decode(Int.self) > 5 else { throw Problem(.internal) }
                }
            }
            static let operation = Operation(.get, "/v1/odd", "Reads.", access: .anyone)
            typealias Response = Odd
        }
        enum Success: Endpoint {
            static let operation = Operation(
                .get, "/v1/odd", "Reads.", success: .conflict, access: .anyone, problems: [.conflict])
        }
        #expect(throws: OpenAPI.Underivable.self) { try bytes([ReadFair.self, ReadFair.self]) }
        #expect(throws: OpenAPI.Underivable.self) { try bytes([ListFairs.self, SamePlace.self]) }
        #expect(throws: OpenAPI.Underivable.self) { try bytes([WrongPath.self]) }
        #expect(throws: OpenAPI.Underivable.self) { try bytes([Success.self]) }
        let odd = #expect(throws: OpenAPI.Underivable.self) { try bytes([Unwilling.self]) }
        #expect(odd?.description.contains("Odd") == true)
    }

    @Test(
        "an OpenAPI validator reports no errors",
        .enabled(if: Python.hasValidator, "openapi-spec-validator is not installed"))
    func validator() throws {
        let sound = try Python.validate(bytes())
        #expect(sound.status == 0, "\(sound.output)")
        // The validator does find errors, so the empty result above means something.
        let broken = String(decoding: try bytes(), as: UTF8.self).replacing(#""in":"path""#, with: #""in":"nowhere""#)
        #expect(try Python.validate(Array(broken.utf8)).status != 0)
    }
}

/// The interpreter that third-party validators run in.
enum Python {
    static let hasValidator = (try? run("import openapi_spec_validator"))?.status == 0

    static func run(_ script: String, _ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// The output of openapi-spec-validator for a document; status 0 means valid.
    static func validate(_ document: [UInt8]) throws -> (status: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "openapi-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(document).write(to: file)
        let script = """
            import json, sys
            from openapi_spec_validator import OpenAPIV31SpecValidator
            errors = list(OpenAPIV31SpecValidator(json.load(open(sys.argv[1]))).iter_errors())
            for error in errors: print(error.message, list(error.absolute_path))
            sys.exit(1 if errors else 0)
            """
        return try run(script, file.path)
    }
}
