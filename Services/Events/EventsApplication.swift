package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the events service; the command and the tests use the same.
package enum EventsApplication: ServiceApplication {
    package static let name = EventsAPI.service
    package static let title = EventsAPI.title
    package static let endpoints = EventsAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        Migration("0001-events", sql: PackageResources.m0001_events_sql),
        Migration("0002-members", sql: PackageResources.m0002_members_sql),
        Migration("0003-registrations", sql: PackageResources.m0003_registrations_sql),
        Migration("0005-rights", sql: PackageResources.m0005_rights_sql),
        Migration("0006-merges", sql: PackageResources.m0006_merges_sql),
        Migration("0007-attended", sql: PackageResources.m0007_attended_sql),
        Migration("0020-retention", sql: PackageResources.m0020_retention_sql),
    ]

    package static func assemble(_ backend: Backend, into parts: inout ServiceParts) throws {
        EventRoutes(backend: backend).mount(on: &parts)
        SessionRoutes(backend: backend).mount(on: &parts)
        RegistrationRoutes(backend: backend, members: Members(backend: backend)).mount(on: &parts)
        Members(backend: backend).mount(on: &parts)
        try EventsRights(backend: backend).mount(on: &parts)
    }
}
