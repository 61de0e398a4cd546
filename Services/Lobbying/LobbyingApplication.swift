package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the lobbying service, for the command and for the tests.
package enum LobbyingApplication: ServiceApplication {
    package static let name = LobbyingAPI.service
    package static let title = LobbyingAPI.title
    package static let endpoints = LobbyingAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        ServiceMigrations.time,
        ServiceMigrations.merges,
        ServiceMigrations.people,
        Migration("0001-official", sql: PackageResources.m0001_official_sql),
        Migration("0002-meeting", sql: PackageResources.m0002_meeting_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        let people = people(backend)
        people.mount(on: &builder)
        OfficialRoutes(backend: backend).mount(on: &builder)
        MeetingRoutes(backend: backend).mount(on: &builder)
        InvitationRoutes(backend: backend, people: people).mount(on: &builder)
        AttendanceRoutes(backend: backend, people: people).mount(on: &builder)
        LobbyingRights(backend: backend, people: people).mount(on: &builder)
    }

    /// The copy of the directory's people: their names, and nothing else.
    static func people(_ backend: Backend) -> PeopleMirror {
        PeopleMirror(backend, merges: MeetingMerges.follower)
    }
}
