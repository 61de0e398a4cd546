package import ClubProtocol
package import Logging
package import Postgres

/// The description of a service: what it serves, what it stores, which services it calls, and how its features are
/// assembled.
///
/// The executable's `main`, the commands and the tests all build the service from this one description.
package protocol ServiceApplication: Sendable {
    static var name: ServiceName { get }
    /// The title of the OpenAPI document.
    static var title: String { get }
    /// Everything it serves. The service refuses to start if `assemble(_:into:)` mounts fewer or more; the kit mounts
    /// `ReadChanges` where it is listed.
    static var endpoints: [any Endpoint.Type] { get }
    /// The service's own migrations, in order; those of the kit come first automatically.
    static var migrations: [Migration] { get }
    /// The services it calls. One that is down is a warning on the health page.
    static var peers: [ServiceName] { get }
    /// Mounts the routes, jobs, schedules and followers of every feature.
    static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws
}

/// What every feature of a service works with.
package struct Backend: Sendable {
    package let name: ServiceName
    package let database: PostgresClient
    package let jobs: JobQueue
    /// Clients for the other services.
    package let peers: Peers
    /// Creates and opens the tokens of links in mails.
    package let links: SignedLinks
    package let logger: Logger
    package let configuration: ServiceConfiguration
}
