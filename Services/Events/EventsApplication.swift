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
        ServiceMigrations.time,
        ServiceMigrations.merges,
        ServiceMigrations.people,
        Migration("0001-event", sql: PackageResources.m0001_event_sql),
        Migration("0002-person-copy", sql: PackageResources.m0002_person_copy_sql),
        Migration("0003-registration", sql: PackageResources.m0003_registration_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        let people = people(backend)
        people.mount(on: &builder)
        EventRoutes(backend: backend).mount(on: &builder)
        SessionRoutes(backend: backend).mount(on: &builder)
        RegistrationRoutes(backend: backend, people: people).mount(on: &builder)
        EventsRights(backend: backend, people: people).mount(on: &builder)
    }

    /// The copy of the directory's people: who may register whom, and the names in the lists.
    static func people(_ backend: Backend) -> PeopleMirror {
        PeopleMirror(
            backend, keeping: [.email, .organization], merges: RegistrationMerges.follower,
            forget: RegistrationStore.forgetNotes)
    }
}
