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
        Migration("0001-official", sql: PackageResources.m0001_official_sql),
        Migration("0002-guest", sql: PackageResources.m0002_guest_sql),
        Migration("0003-meeting", sql: PackageResources.m0003_meeting_sql),
        Migration("0004-merge", sql: PackageResources.m0004_merge_sql),
    ]

    package static func assemble(_ backend: Backend, into builder: inout ServiceBuilder) throws {
        let guests = Guests(backend: backend)
        OfficialRoutes(backend: backend).mount(on: &builder)
        MeetingRoutes(backend: backend).mount(on: &builder)
        InvitationRoutes(backend: backend, guests: guests).mount(on: &builder)
        AttendanceRoutes(backend: backend, guests: guests).mount(on: &builder)
        guests.mount(on: &builder)
        LobbyingRights(backend: backend).mount(on: &builder)
    }
}
