package import ArgumentParser
import ClubProtocol
import FoundationEssentials
import Logging

/// `serve`: runs a service until it is told to stop.
package struct Serve<App: ServiceApplication>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "serve",
            abstract: "Runs the \(App.name.rawValue) service.",
            discussion: """
                Everything can also be given by environment variables (DATABASE_URL, PORT, …) or by a JSON file \
                (--config); flags take precedence over the environment, the environment over the file. A secret may be \
                in a file of its own: DATABASE_URL_FILE, and so on for every value.

                SIGTERM and SIGINT end it gracefully; a second one at once.
                """)
    }

    @Option(help: "The address that the API listens on.") var host: String?
    @Option(help: "The port of the API; 0 picks a free one.") var port: String?
    @Option(help: "The address that health and metrics listen on.") var operatorHost: String?
    @Option(help: "The port of health and metrics; 0 picks a free one.") var operatorPort: String?
    @Option(help: "The service's database: a libpq URL, best given by a file.") var databaseURL: String?
    @Option(help: "A file that contains the database's URL.") var databaseURLFile: String?
    @Option(help: "The service's private key.") var signingKeyFile: String?
    @Option(help: "The trust file: the public keys of all callers.") var trustFile: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: String?
    @Option(help: "json or text.") var logFormat: String?
    @Option(help: "How long readiness fails before the service stops accepting requests.") var drainSeconds: String?
    @Option(help: "A JSON file with any of these values.") var config: String?

    package init() {}

    private var flags: [String: String] {
        let given = [
            "HOST": host, "PORT": port, "OPERATOR_HOST": operatorHost, "OPERATOR_PORT": operatorPort,
            "DATABASE_URL": databaseURL, "DATABASE_URL_FILE": databaseURLFile, "SIGNING_KEY_FILE": signingKeyFile,
            "TRUST_FILE": trustFile, "LOG_LEVEL": logLevel, "LOG_FORMAT": logFormat, "DRAIN_SECONDS": drainSeconds,
            "CONFIG_FILE": config,
        ]
        return given.compactMapValues { $0 }
    }

    package func run() async throws {
        let instance: ServiceInstance<App>
        do {
            let configuration = try ServiceConfiguration(
                service: App.name, calling: App.peers, flags: flags,
                environment: ProcessInfo.processInfo.environment)
            Observability.bootstrapLogging(
                service: App.name.rawValue, level: configuration.logLevel, format: configuration.logFormat)
            instance = try ServiceInstance<App>(configuration: configuration)
        } catch let problem as ConfigurationProblem {
            try CommandFailure.end(App.name, "\(problem)", CommandFailure.badConfiguration)
        } catch let problem as IdentityFileError {
            try CommandFailure.end(App.name, "\(problem)", CommandFailure.badConfiguration)
        } catch {
            try CommandFailure.end(App.name, "cannot start: \(error)", CommandFailure.failed)
        }
        // The group needs its last second to report; the process exits within 25 s of the signal in any case.
        let limit = instance.configuration.shutdownLimit + .seconds(3)
        TerminationSignals.handle {
            TerminationSignals.exitAfter(min(limit, .seconds(24)))
            Task { await instance.stop() }
        }
        do {
            try await instance.run()
        } catch {
            try CommandFailure.end(App.name, "stopped: \(error)", CommandFailure.failed)
        }
    }
}

/// How commands end when they fail.
enum CommandFailure {
    /// `EX_CONFIG` of sysexits.h: starting again will not help.
    static let badConfiguration = ExitCode(78)
    static let failed = ExitCode(1)

    /// Prints the reason on one line of standard error, and ends the command.
    static func end(_ service: ServiceName, _ reason: String, _ code: ExitCode) throws -> Never {
        let line = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        StandardError.line("\(service.rawValue): \(line)")
        throw code
    }
}
