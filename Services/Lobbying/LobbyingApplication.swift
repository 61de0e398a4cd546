package import ClubProtocol
package import Postgres
package import ServiceKit

/// Builds the lobbying service; the command and the tests use the same.
package enum LobbyingApplication: ServiceApplication {
    package static let name = LobbyingAPI.service
    package static let title = LobbyingAPI.title
    package static let endpoints = LobbyingAPI.endpoints
    package static let peers: [ServiceName] = [.directory]
    package static let migrations = [
        Migration("0001-officials", sql: PackageResources.m0001_officials_sql),
        Migration("0002-guests", sql: PackageResources.m0002_guests_sql),
        Migration("0003-meetings", sql: PackageResources.m0003_meetings_sql),
        Migration("0005-rights", sql: PackageResources.m0005_rights_sql),
        Migration("0006-merges", sql: PackageResources.m0006_merges_sql),
        Migration("0007-telephones", sql: PackageResources.m0007_telephones_sql),
    ]

    package static func assemble(_ backend: Backend, into parts: inout ServiceParts) throws {
        let guests = Guests(backend: backend)
        OfficialRoutes(backend: backend).mount(on: &parts)
        MeetingRoutes(backend: backend).mount(on: &parts)
        InvitationRoutes(backend: backend, guests: guests).mount(on: &parts)
        AttendanceRoutes(backend: backend, guests: guests).mount(on: &parts)
        guests.mount(on: &parts)
        LobbyingRights(backend: backend).mount(on: &parts)
    }
}
