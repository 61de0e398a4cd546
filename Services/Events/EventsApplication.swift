package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the events service, for the command and for the tests.
package enum EventsApplication: ServiceApplication {
    package static let name = EventsAPI.service
    package static let title = EventsAPI.title
    package static let endpoints = EventsAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        Migration("0001-event", sql: PackageResources.m0001_event_sql),
        Migration("0002-member", sql: PackageResources.m0002_member_sql),
        Migration("0003-registration", sql: PackageResources.m0003_registration_sql),
        Migration("0004-merge", sql: PackageResources.m0004_merge_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        EventRoutes(backend: backend).mount(on: &builder)
        SessionRoutes(backend: backend).mount(on: &builder)
        RegistrationRoutes(backend: backend, members: Members(backend: backend)).mount(on: &builder)
        Members(backend: backend).mount(on: &builder)
        EventsRights(backend: backend).mount(on: &builder)
    }
}
