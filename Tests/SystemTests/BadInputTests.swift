import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestKit
import Testing

/// Input that every API gets from the Internet, and its response: RFC 9457, nothing lost, the service alive.
@Suite("bad input", .serialized)
struct BadInputTests {
    /// One request, and the status of its response.
    struct Case: Sendable {
        var name: String
        var method = HTTPMethod.POST
        var path = "/v1/people"
        var body: String?
        var bytes: [UInt8]?
        var headers: [(String, String)] = []
        var status: Int
        /// What the response must name: a key, a pointer, a header.
        var names: String?
    }

    private static let person = #"{"givenName":"Anne","familyName":"Petit"}"#

    private static let cases: [Case] = [
        // 1, 2: not JSON
        Case(name: "invalid JSON", body: #"{"givenName":"#, status: 400),
        Case(name: "empty body", body: "", status: 400),
        Case(
            name: "invalid UTF-8", bytes: Array(#"{"givenName":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8),
            status: 400),
        Case(name: "duplicate key", body: #"{"givenName":"A","givenName":"B","familyName":"C"}"#, status: 400),
        Case(name: "lone surrogate", body: #"{"givenName":"\ud800","familyName":"C"}"#, status: 400),
        Case(
            name: "nesting 10,000 deep",
            body: String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000), status: 400),
        // 3: too much
        Case(
            name: "body over the limit", body: #"{"givenName":"\#(String(repeating: "a", count: 2 << 20))"}"#,
            status: 413),
        // 8: methods
        Case(name: "wrong method", method: .PUT, body: "{}", status: 405),
        Case(name: "TRACE", method: .TRACE, status: 405),
        Case(name: "unknown method", method: .RAW(value: "BREW"), status: 405),
        // 9, 10: content types and encodings
        Case(name: "another content type", body: person, headers: [("Content-Type", "text/xml")], status: 415),
        Case(name: "gzip", body: person, headers: [("Content-Encoding", "gzip")], status: 415),
        // 11, 12: keys and types
        Case(
            name: "unknown key", body: #"{"givenName":"A","familyName":"B","color":"red"}"#, status: 422, names: "color"
        ),
        Case(name: "privileged key", body: #"{"givenName":"A","familyName":"B","id":"1"}"#, status: 422, names: "id"),
        Case(name: "missing key", body: #"{"givenName":"A"}"#, status: 422, names: "familyName"),
        Case(name: "wrong type", body: #"{"givenName":7,"familyName":"B"}"#, status: 422, names: "/givenName"),
        Case(name: "null", body: #"{"givenName":"A","familyName":null}"#, status: 422, names: "/familyName"),
        Case(name: "empty name", body: #"{"givenName":"","familyName":"B"}"#, status: 422, names: "/givenName"),
        // 13, 26: characters that are not allowed in a name
        Case(name: "U+0000", body: #"{"givenName":"A\u0000","familyName":"B"}"#, status: 422, names: "/givenName"),
        Case(name: "bidirectional control", body: #"{"givenName":"A\u202e","familyName":"B"}"#, status: 422),
        Case(
            name: "line break", body: #"{"givenName":"A\r\nBcc: x","familyName":"B"}"#, status: 422, names: "/givenName"
        ),
        Case(
            name: "300 characters", body: #"{"givenName":"\#(String(repeating: "é", count: 300))","familyName":"B"}"#,
            status: 422),
        // 14: domain values
        Case(
            name: "no e-mail", body: #"{"givenName":"A","familyName":"B","email":"a@b"}"#, status: 422, names: "/email"),
        Case(
            name: "e-mail with a line break", body: #"{"givenName":"A","familyName":"B","email":"a@b.fr\nx"}"#,
            status: 422),
        Case(
            name: "no SIRET", path: "/v1/organizations",
            body: #"{"kind":"brand","name":"A","siret":"73282932000075"}"#, status: 422, names: "/siret"),
        Case(
            name: "SIRET without a SIREN", path: "/v1/organizations",
            body: #"{"kind":"brand","name":"A","siret":"10000000000008"}"#, status: 422, names: "/siret"),
        Case(
            name: "the least amount there is", path: "/v1/contributions/{id}/payments",
            body: #"{"amount":{"amount":\#(Int.min),"currency":"EUR"},"paidOn":"2026-01-01"}"#, status: 422,
            names: "/amount/amount"),
        Case(
            name: "no postal code", path: "/v1/organizations",
            body: #"{"kind":"brand","name":"A","postalCode":"6400"}"#, status: 422, names: "/postalCode"),
        Case(
            name: "no web address", path: "/v1/organizations",
            body: #"{"kind":"brand","name":"A","website":"javascript:alert(1)"}"#, status: 422, names: "/website"),
        Case(
            name: "no UUID in the body", body: #"{"givenName":"A","familyName":"B","organization":"1"}"#, status: 422,
            names: "/organization"),
        Case(name: "no UUID in the path", method: .GET, path: "/v1/people/1", status: 404),
        // 15, 17: query parameters and cursors
        Case(
            name: "parameter given twice", method: .GET, path: "/v1/people?limit=1&limit=2", status: 400, names: "limit"
        ),
        Case(name: "unknown parameter", method: .GET, path: "/v1/people?color=red", status: 400, names: "color"),
        Case(name: "forged cursor", method: .GET, path: "/v1/people?cursor=eyJhIjoxfQ", status: 400),
        Case(name: "limit 0", method: .GET, path: "/v1/people?limit=0", status: 422, names: "limit"),
        Case(name: "limit -1", method: .GET, path: "/v1/people?limit=-1", status: 422),
        Case(name: "limit 1e9", method: .GET, path: "/v1/people?limit=1000000000", status: 422),
        // 18: changes without a version
        Case(name: "change without If-Match", method: .PATCH, path: "/v1/people/{id}", body: "{}", status: 428),
        Case(
            name: "change with a stale If-Match", method: .PATCH, path: "/v1/people/{id}", body: #"{"givenName":"B"}"#,
            headers: [("If-Match", "\"99\"")], status: 412),
        Case(
            name: "If-Match that is none", method: .PATCH, path: "/v1/people/{id}", body: #"{"givenName":"B"}"#,
            headers: [("If-Match", "yes")], status: 400),
        // 19: idempotency keys
        Case(
            name: "idempotency key too long", body: person,
            headers: [("Idempotency-Key", String(repeating: "k", count: 300))], status: 400),
        // 24: what a caller claims about itself is ignored
        Case(
            name: "headers about oneself", method: .GET, path: "/v1/people/{id}",
            headers: [("X-Forwarded-For", "10.0.0.1"), ("X-User-ID", "root"), ("X-Role", "auditor")], status: 200),
        // 29: paths
        Case(name: "unknown path", method: .GET, path: "/v1/nothing", status: 404),
        Case(name: "root", method: .GET, path: "/", status: 200),
        Case(name: "double slash", method: .GET, path: "/v1//people", status: 404),
        Case(name: "encoded dots", method: .GET, path: "/v1/%2e%2e/people", status: 404),
        // 30: deadlines
        Case(name: "no time left", method: .GET, headers: [("Club-Timeout", "0")], status: 504),
        Case(name: "negative time", method: .GET, headers: [("Club-Timeout", "-5")], status: 400),
        Case(name: "time that is none", method: .GET, headers: [("Club-Timeout", "soon")], status: 400),
    ]

    @Test("each case gets its response, in a problem document that reveals nothing internal")
    func table() async throws {
        try await TestClub.run([.directory]) { club in
            let token = try club.token()
            let known = try await club.client(.directory).send(
                CreatePerson.request(body: .init(givenName: "Anne", familyName: "Petit")))
            for one in Self.cases {
                let (response, body) = try await send(one, person: known.id, to: club[.directory], token: token)
                #expect(
                    Int(response.status.code) == one.status, "\(one.name): \(response.status.code) \(body.prefix(300))")
                if one.status >= 400, one.method != .HEAD {
                    #expect(response.headers.first(name: "Content-Type") == "application/problem+json", "\(one.name)")
                    let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.utf8))
                    #expect(problem?.status == one.status, "\(one.name): \(body.prefix(300))")
                    #expect(problem?.requestID != nil, "\(one.name)")
                }
                if one.status == 405 { #expect(response.headers.first(name: "Allow") != nil, "\(one.name)") }
                if let name = one.names { #expect(body.contains(name), "\(one.name): \(body.prefix(300))") }
                for word in ["select ", "insert ", "directory.person", "Swift", ".swift:", "PGRES"] {
                    #expect(!body.contains(word), "\(one.name) tells \(word)")
                }
            }
            #expect(club[.directory].isRunning)
            let people = try await club.client(.directory).send(ListPeople.request(query: .init()))
            #expect(people.items.map(\.id) == [known.id])
        }
    }

    @Test("text that looks like SQL, markup or a formula is stored and returned unchanged")
    func literal() async throws {
        let names = try #require(Self.naughtyStrings())
        try await TestClub.run([.directory]) { club in
            let directory = try club.client(.directory)
            for text in names {
                guard let name = try? Line(validating: text) else { continue }
                let made = try await directory.send(
                    CreatePerson.request(body: .init(givenName: "Anne", familyName: name)))
                let read = try await directory.send(GetPerson.request(path: made.id))
                #expect(read.familyName == name)
            }
        }
    }

    @Test("the same key with the same body has one effect; with another body it is refused")
    func idempotency() async throws {
        try await TestClub.run([.directory]) { club in
            let directory = try club.client(.directory)
            let body = CreatePerson.Body(givenName: "Anne", familyName: "Petit")
            let first = try await directory.exchange(CreatePerson.request(body: body, idempotencyKey: "one"))
            let second = try await directory.exchange(CreatePerson.request(body: body, idempotencyKey: "one"))
            #expect(first.value == second.value)
            #expect(second.replayed)
            await #expect(throws: (any Error).self) {
                try await directory.send(
                    CreatePerson.request(body: .init(givenName: "Luc", familyName: "Petit"), idempotencyKey: "one"))
            }
            // A hundred requests at once with one key: one effect; those that arrive while it runs get 409.
            let identifiers = await withTaskGroup(of: Person.ID?.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try? await directory.send(CreatePerson.request(body: body, idempotencyKey: "two")).id
                    }
                }
                var identifiers: Set<Person.ID> = []
                for await identifier in group { if let identifier { identifiers.insert(identifier) } }
                return identifiers
            }
            #expect(identifiers.count == 1)
            let people = try await directory.send(ListPeople.request(query: .init()))
            #expect(people.items.count == 2)
        }
    }

    // MARK: Steps

    private func send(
        _ one: Case, person: Person.ID, to service: ServiceProcess, token: String
    ) async throws -> (HTTPClientResponse, String) {
        var request = HTTPClientRequest(url: service.url + one.path.replacing("{id}", with: person.text))
        request.method = one.method
        request.headers = ["Authorization": "Bearer \(token)"]
        if let bytes = one.bytes ?? one.body.map({ Array($0.utf8) }) {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: bytes))
        }
        for (name, value) in one.headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        return (response, String(buffer: try await response.body.collect(upTo: 8 << 20)))
    }

    /// The big list of naughty strings if it is available, and always some of our own.
    private static func naughtyStrings() -> [String]? {
        let own = [
            "Robert'); drop table person;--", "\" or 1=1 --", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "$1",
            "\\x00", "{\"a\":1}", "%s%n", "../../etc/passwd", "null", "NaN", "𝕋𝕙𝕖 𝕢𝕦𝕚𝕔𝕜", "田中さん", "👩‍👩‍👧‍👦",
        ]
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("shared/data/csv_pieges/blns/blns.json")
        guard let data = try? Data(contentsOf: file) else {
            print("the list of naughty strings is not here: only our own are tried")
            return own
        }
        return (try? JSONDecoder().decode([String].self, from: data)).map { own + $0 }
    }
}
