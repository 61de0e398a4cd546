import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import TestKit
import Testing

/// The metrics that the running services export for Prometheus.
@Suite("metrics", .serialized)
struct FigureTests {
    @Test("a service exports few series after its start and under 500 after the demo, with the conventions' names")
    func series() async throws {
        try await TestClub.run { club in
            for service in club.services.values {
                let series = try await scrape(service)
                #expect(series.count < 150, "\(service.name): \(series.count)")
            }
            let demo = try await club.demo()
            #expect(demo.status == 0, "\(demo.errors)")
            for service in club.services.values {
                let series = try await scrape(service)
                print("\(service.name.rawValue): \(series.count) series after the demo")
                #expect(series.count < 500, "\(service.name): \(series.count)\n\(families(series))")
                #expect(series.contains { $0.hasPrefix("http_server_request_duration_seconds_count{") })
                #expect(series.contains { $0.hasPrefix("db_client_operation_duration_seconds_count{") })
                #expect(series.contains { $0.contains(#"http_route="/v1/"#) })
                #expect(series.contains { $0.contains(#"http_response_status_code="200""#) })
            }
        }
    }

    /// The lines that are samples.
    private func scrape(_ service: ServiceProcess) async throws -> [Substring] {
        let request = HTTPClientRequest(url: "\(service.operatorURL)/metrics")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let text = String(buffer: try await response.body.collect(upTo: 4 << 20))
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    /// How many series each name has.
    private func families(_ series: [Substring]) -> [String: Int] {
        Dictionary(grouping: series) { line in String(line.prefix { $0 != "{" && $0 != " " }) }.mapValues(\.count)
    }
}
