package import AsyncHTTPClient
package import ClubProtocol
import FoundationEssentials
package import ServiceKit

/// Where the services are and who calls them, from environment variables.
package struct Connection: Sendable {
    private let environment: [String: String]

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
    }

    /// The address of a service's API.
    package func url(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_URL") ?? "http://127.0.0.1:\(service.standardPort)"
    }

    /// The address at which people's browsers reach a service.
    package func publicURL(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_PUBLIC_URL") ?? url(of: service)
    }

    /// For commands that need tokens of several callers.
    ///
    /// - Throws: ``CommandFailure`` when `CLUB_TOKEN` is set.
    package func refuseToken(_ reason: String) throws {
        guard value("CLUB_TOKEN") == nil else {
            throw CommandFailure(
                "CLUB_TOKEN is set, but \(reason): unset it, and give the operator's key in OPERATOR_KEY_FILE")
        }
    }

    /// The address of a service's operator port.
    package func operatorURL(of service: ServiceName) -> String {
        value("\(service.rawValue.uppercased())_OPERATOR_URL") ?? "http://127.0.0.1:\(service.standardOperatorPort)"
    }

    /// The key that people's tokens are signed with.
    package func operatorKey() throws -> KeyFile {
        guard let path = value("OPERATOR_KEY_FILE") else {
            throw CommandFailure("OPERATOR_KEY_FILE is not set; it names the key that `club keys init` made")
        }
        do { return try KeyFile(path: path) } catch { throw CommandFailure("\(error)") }
    }

    /// A client for a service, with `CLUB_TOKEN` or with a token issued for this call: an operator's, unless `role`
    /// says otherwise.
    package func client(
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
    package func call<Value: Sendable>(
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
