import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import CommandKit
import FoundationEssentials
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Shows whether every service is ready, with its warnings.",
        discussion: "Asks the operator ports. Ends with exit code 1 when a service is not ready.")

    @Option(help: "Wait up to this many seconds until every service is ready.")
    var wait: Int = 0

    func run() async throws {
        let connection = Connection()
        var reports = await Self.reports(connection)
        var left = wait * 5
        while left > 0, !reports.allSatisfy(\.ready) {
            try await Task.sleep(for: .milliseconds(200))
            left -= 1
            reports = await Self.reports(connection)
        }
        var table = TextTable("service", "state", "warnings")
        for report in reports {
            table.add(report.service.rawValue, report.state, report.warnings.joined(separator: "; "))
        }
        print(table.text)
        guard reports.allSatisfy(\.ready) else { throw ExitCode(1) }
    }

    private struct Report: Sendable {
        var service: ServiceName
        var ready: Bool
        var state: String
        var warnings: [String]
    }

    private static func reports(_ connection: Connection) async -> [Report] {
        await withTaskGroup(of: Report.self) { group in
            for service in ServiceName.allCases {
                group.addTask { await report(service, at: connection.operatorURL(of: service)) }
            }
            var reports: [Report] = []
            for await report in group { reports.append(report) }
            return reports.sorted { $0.service.rawValue < $1.service.rawValue }
        }
    }

    private static func report(_ service: ServiceName, at url: String) async -> Report {
        do {
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "\(url)/health/ready"), timeout: .seconds(3))
            let body = try await response.body.collect(upTo: 1 << 20)
            let health = try? JSONDecoder().decode(JSONValue.self, from: Data(buffer: body))
            let ready = response.status == .ok
            return Report(
                service: service, ready: ready, state: ready ? "ready" : "not ready (\(response.status.code))",
                warnings: warnings(in: health))
        } catch {
            return Report(service: service, ready: false, state: "no answer", warnings: ["nothing listens at \(url)"])
        }
    }

    /// The checks that do not pass, from an `application/health+json` document.
    private static func warnings(in health: JSONValue?) -> [String] {
        guard case .object(let checks)? = health?["checks"] else { return [] }
        return checks.keys.sorted().flatMap { name in
            (checks[name]?.array ?? []).compactMap { check in
                guard check["status"]?.string != "pass" else { return nil }
                return [name, check["output"]?.string].compactMap { $0 }.joined(separator: ": ")
            }
        }
    }
}
