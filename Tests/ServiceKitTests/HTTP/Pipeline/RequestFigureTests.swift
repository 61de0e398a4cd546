import ClubProtocol
import Foundation
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("request metrics")
struct RequestFigureTests {
    private static let name = "http_server_request_duration_seconds"

    /// The exposition's lines with this prefix. They are matched as bytes: the process has the series of all services
    /// that it has run.
    private func lines(of prefix: String) -> [String] {
        Observability.metrics.text().split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: prefix.utf8) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The number of responses that the process has counted under these labels; nil if there is no such series.
    private func count(_ labels: [String: String]) throws -> Double? {
        let name = labels["http_route"] == nil ? Self.name : "http_server_route_duration_seconds"
        let lines = lines(of: "\(name)_count{").filter { line in
            labels.values.allSatisfy { line.contains("\"\($0)\"") }
        }
        guard !lines.isEmpty else { return nil }
        let text = try PrometheusTests.Exposition(Array((lines.joined(separator: "\n") + "\n").utf8))
        return text["\(name)_count", labels.merging(["url_scheme": "http"]) { own, _ in own }]
    }

    private func labels(_ method: String, _ route: String?, _ status: String) -> [String: String] {
        var labels = ["http_request_method": method, "http_response_status_code": status]
        if let route { labels["http_route"] = route }
        if status.hasPrefix("5") { labels["error_type"] = status }
        return labels
    }

    @Test("a request is counted by method, route and status, named as in OpenTelemetry, with no series in advance")
    func labels() async throws {
        _ = Observability.metrics
        try await withTickets { tickets in
            let ticket = try await tickets.makeTicket("first")
            let before = try count(labels("GET", "/v1/tickets/{ticket}", "200")) ?? 0
            _ = try await tickets.send(.get, "/v1/tickets/\(ticket.id)", bytes: [])
            _ = try await tickets.send(.head, "/v1/tickets/\(ticket.id)", bytes: [])
            #expect(try count(labels("GET", "/v1/tickets/{ticket}", "200")) == before + 1)
            #expect(try count(labels("HEAD", "/v1/tickets/{ticket}", "200")) != nil)
            #expect(try #require(try count(labels("GET", nil, "200"))) >= before + 1)
            // There is no series for a status that never occurred, nor for a path that a caller made up.
            #expect(try count(labels("GET", "/v1/tickets/{ticket}", "418")) == nil)
            for number in 0..<50 { _ = try await tickets.send(.get, "/nowhere/\(number)", bytes: []) }
            #expect(try count(labels("GET", nil, "404")) != nil)
            #expect(!lines(of: "http_").contains { $0.contains("nowhere") })
            let bounds = lines(of: "\(Self.name)_bucket{")
                .compactMap { line in line.firstMatch(of: /le="([^"]+)"/).map { String($0.1) } }
            #expect(
                Set(bounds) == [
                    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5",
                    "10", "+Inf",
                ])
        }
    }

    @Test("a status is counted under its own code, listed or not, and server errors have an error type")
    func statuses() throws {
        _ = Observability.metrics
        let timers = RequestTimers(method: "POST", route: "/v1/figures/{figure}")
        for code in [200, 226, 404, 451, 500, 503, 507, 511] {
            for _ in 0..<3 { timers.record(HTTPResponse.Status(code: code), nanoseconds: 1_000_000) }
            #expect(try count(labels("POST", "/v1/figures/{figure}", "\(code)")) == 3)
        }
    }

    @Test("many threads record the first response of a status at once: none is lost")
    func firstAnswers() async throws {
        _ = Observability.metrics
        for round in 0..<5 {
            let timers = RequestTimers(method: "PUT", route: "/v1/rounds/\(round)")
            await withDiscardingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { for _ in 0..<50 { timers.record(.ok, nanoseconds: 1) } }
                }
            }
            #expect(try count(labels("PUT", "/v1/rounds/\(round)", "200")) == 400)
        }
    }

    @Test("a long poll does not count as slow for its waiting time; any other request does")
    func waiting() async throws {
        try await withTickets { tickets in
            let lines = LogLineTests.Lines()
            let logger = Logger(label: "test") {
                LineLogHandler(label: $0, service: "events", level: .info, format: .text) { lines.append($0) }
            }
            var routes = Routes()
            routes.read(ReadChanges.self) { _ in .value(ChangeBatch(items: [], next: nil)) }
            routes.read(VerifyAudit.self) { _ in .value(AuditVerification(intact: true, head: nil)) }
            let (waiting, plain) = (routes.routes[0], routes.routes[1])
            let responder = try Responder(
                routes: routes, database: tickets.database,
                verifier: TokenVerifier(trustFile: tickets.keys.trustFile, audience: .events),
                links: SignedLinks(key: KeyFile(path: tickets.keys.signingKeyFile(of: .events))), openAPI: [],
                jwks: [], logger: logger)
            func finish(_ route: Route, after seconds: Int64) {
                responder.pipeline.log.finished(.ok, "id", route, NIODeadline.now() - .seconds(seconds), subject: nil)
            }
            finish(waiting, after: 20)
            finish(plain, after: 0)
            #expect(lines.all.isEmpty)
            finish(plain, after: 2)
            #expect(lines.all.count == 1)
            // Longer than any caller may ask to wait.
            finish(waiting, after: 40)
            #expect(lines.all.count == 2)
        }
    }
}
