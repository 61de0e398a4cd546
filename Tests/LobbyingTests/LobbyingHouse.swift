import ClubProtocol
import Postgres
import TestKit

@testable import Lobbying
@testable import ServiceKit

/// What tests of the lobbying service start from.
extension TestService {
    /// A client that waits as long as a busy machine needs.
    func patient(_ role: Role) throws -> ServiceClient {
        var policy = ServiceClient.Policy()
        policy.timeout = .seconds(60)
        return try client(role, policy: policy)
    }

    func official(_ name: Line = "Hélène Vasseur", kind: Official.Kind = .deputy) async throws -> Official {
        try await patient(.lobbyist).send(CreateOfficial.request(body: .init(name: name, kind: kind)))
    }

    func meeting(on date: Day = "2027-03-14") async throws -> CircleMeeting {
        try await patient(.lobbyist).send(
            CreateCircleMeeting.request(
                body: .init(date: date, place: "Palais du Luxembourg", theme: "Le numérique dans les TPE")))
    }

    /// Adds a person to the copy of the directory.
    func guest(_ name: Line = "Ana Etcheverry") async throws -> Person.ID {
        let guest = PersonCopy(id: Person.ID(), name: name, version: 1, gone: false)
        try await LobbyingApplication.people(backend).keep([guest])
        return guest.id
    }

    func invite(_ body: Invite.Body, to meeting: CircleMeeting) async throws -> Invitation {
        try await patient(.lobbyist).send(Invite.request(path: meeting.id, body: body))
    }
}
