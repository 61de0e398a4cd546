package import ArgumentParser
import AsyncHTTPClient
import ClubProtocol
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// `probe`: asks the service that runs in this container whether it is ready. For health checks: the images contain no
/// other program.
package struct Probe<App: ServiceApplication>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "probe",
            abstract: "Asks whether the \(App.name.rawValue) service that runs here is ready.",
            discussion: "Ends with exit code 1 when it is not, or does not answer within two seconds.")
    }

    @Option(help: "The port of health and metrics (OPERATOR_PORT).") var operatorPort: Int?

    package init() {}

    package func run() async throws {
        let given = ProcessInfo.processInfo.environment["OPERATOR_PORT"].flatMap { Int($0) }
        let port = operatorPort ?? given ?? App.name.standardOperatorPort
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/health/ready")
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(2)), response.status == .ok
        else { throw ExitCode(1) }
    }
}
