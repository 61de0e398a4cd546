package import AsyncHTTPClient
package import ClubProtocol

/// The clients for the services; one whose address is not configured fails every call.
package struct Peers: Sendable {
    package let directory: ServiceClient
    package let events: ServiceClient
    package let content: ServiceClient
    package let lobbying: ServiceClient

    /// - Parameters:
    ///   - addresses: where each service is: scheme, host and port.
    ///   - http: shared by all; see ``ServiceClient/makeHTTP(on:)``.
    package init(
        addresses: [ServiceName: String], credentials: ServiceClient.Credentials, http: HTTPClient,
        policy: ServiceClient.Policy = ServiceClient.Policy()
    ) {
        func client(_ name: ServiceName) -> ServiceClient {
            ServiceClient(name: name, url: addresses[name], credentials: credentials, http: http, policy: policy)
        }
        directory = client(.directory)
        events = client(.events)
        content = client(.content)
        lobbying = client(.lobbying)
    }

    /// - Throws: ``ServiceClientError/unavailable(_:reason:)`` if no address is configured.
    package subscript(_ name: ServiceName) -> ServiceClient {
        get throws {
            let client = client(name)
            guard client.address != nil else {
                throw ServiceClientError.unavailable(name, reason: "no address configured")
            }
            return client
        }
    }

    /// How the configured peers have been answering; each that is down is a warning on the health page.
    package func states() -> [ServiceName: PeerState] {
        ServiceName.allCases.reduce(into: [:]) { states, name in
            let client = client(name)
            if client.address != nil { states[name] = client.state }
        }
    }

    private func client(_ name: ServiceName) -> ServiceClient {
        switch name {
        case .directory: directory
        case .events: events
        case .content: content
        case .lobbying: lobbying
        }
    }
}
