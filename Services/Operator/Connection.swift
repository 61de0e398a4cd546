import AsyncHTTPClient
import ClubProtocol
import FoundationEssentials
import ServiceKit

/// Where the services are and who calls them, from environment variables.
struct Connection: Sendable {
    private let environment: [String: String]

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
    }

    /// The address of a service's API.
    func url(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_URL") ?? "http://127.0.0.1:\(service.standardPort)"
    }

    /// The address at which people's browsers reach a service.
    func publicURL(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_PUBLIC_URL") ?? url(of: service)
    }

    /// For commands that need tokens of several callers.
    ///
    /// - Throws: ``CommandFailure`` when `CLUB_TOKEN` is set.
    func refuseToken(_ reason: String) throws {
        guard value("CLUB_TOKEN") == nil else {
            throw CommandFailure(
                "CLUB_TOKEN is set, but \(reason): unset it, and give the operator's key in OPERATOR_KEY_FILE")
        }
    }

    /// The address of a service's operator port.
    func operatorURL(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_OPERATOR_URL") ?? "http://127.0.0.1:\(service.standardOperatorPort)"
    }

    /// The key that people's tokens are signed with.
    func operatorKey() throws -> KeyFile {
        guard let path = value("OPERATOR_KEY_FILE") else {
            throw CommandFailure("OPERATOR_KEY_FILE is not set; it names the key that `club keys init` made")
        }
        do { return try KeyFile(path: path) } catch { throw CommandFailure("\(error)") }
    }

    /// A client for a service, with `CLUB_TOKEN` or with a token issued for this call: an operator's, unless `role`
    /// says otherwise.
    func client(
        for service: ServiceName, as role: Role = .operator, organization: Organization.ID? = nil,
        person: Person.ID? = nil, http: HTTPClient
    ) throws -> ServiceClient {
        let token: String
        if let given = value("CLUB_TOKEN") {
            token = given
        } else {
            token = try TokenSigner.personToken(
                key: operatorKey(), subject: "club@\(ProcessInfo.processInfo.hostName)", role: role,
                organization: organization, person: person, ttl: .seconds(3600))
        }
        return ServiceClient(
            name: service, url: url(of: service), credentials: .bearer(token), http: http, policy: .patient)
    }

    /// Calls a service as the club's staff.
    ///
    /// - Throws: ``CommandFailure`` for every error.
    func call<Value: Sendable>(
        _ service: ServiceName, _ body: (ServiceClient) async throws -> Value
    ) async throws -> Value {
        do {
            return try await body(client(for: service, http: .shared))
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(calling: service, error)
        }
    }

    private func value(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Why a command failed: one line on standard error, exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A failed call, explained to the person at the keyboard.
    init(calling service: ServiceName, _ error: any Error) {
        switch error {
        case ServiceClientError.problem(let problem):
            let fields = (problem.errors ?? []).map { "\($0.pointer) \($0.detail)" }
            let parts = [problem.title, problem.detail].compactMap { $0 } + fields
            description = "\(service.rawValue) answered \(problem.status): \(parts.joined(separator: "; "))"
        case ServiceClientError.unavailable(let name, let reason) where reason.hasPrefix("answered"):
            description = """
                \(name.rawValue) is running but cannot do its work now (\(reason)); wait until `club health` says that it is \
                ready, then run the command again
                """
        case ServiceClientError.unavailable(let name, let reason):
            description = "\(name.rawValue) cannot be reached (\(reason)); is it running? see `club health`"
        case ServiceClientError.deadline(let name):
            description = "\(name.rawValue) did not answer in time"
        case let failure as CommandFailure:
            self = failure
        default:
            description = "\(service.rawValue): \(error)"
        }
    }
}
