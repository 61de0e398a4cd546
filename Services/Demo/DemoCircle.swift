import ClubProtocol
import CommandKit
import ServiceKit

/// One of the four yearly meetings with members of parliament.
struct DemoCircle: Sendable {
    static let theme: Line = "Le numérique dans les très petites entreprises"

    let lobbying: ServiceClient

    private static let guests:
        [(name: Line, kind: Official.Kind, institution: Line, role: Line, departement: Departement?)] =
            [
                ("Hélène Vasseur", .deputy, "Assemblée nationale", "Députée", "64"),
                ("Paul Ardouin", .deputy, "Assemblée nationale", "Député", "33"),
                ("Mireille Castan", .deputy, "Assemblée nationale", "Députée", "35"),
                ("Guy Lormont", .senator, "Sénat", "Sénateur", "40"),
                ("Françoise Delmas", .senator, "Sénat", "Sénatrice", "69"),
                ("Antoine Revel", .adviser, "Ministère de l’économie", "Conseiller numérique", nil),
                ("Claire Montagnac", .agencyHead, "Délégation aux usages de l’internet", "Déléguée", nil),
            ]

    func record() async throws -> Demo.Outcome {
        let meetings = try await lobbying.all(ListCircleMeetings.self) {
            ListCircleMeetings.request(query: .init(limit: 200, cursor: $0))
        }
        if let known = meetings.first(where: { $0.theme == Self.theme }), known.attended > 0 {
            return "recorded before: \(known.invited) invited, \(known.attended) came"
        }
        let officials = try await fileOfficials()
        let known = meetings.first { $0.theme == Self.theme }
        let meeting: CircleMeeting.ID
        if let known {
            meeting = known.id
        } else {
            let created = try await lobbying.send(
                CreateCircleMeeting.request(
                    body: .init(
                        date: Day.today.adding(days: -7), place: "Palais du Luxembourg, salle Médicis",
                        theme: Self.theme)))
            meeting = created.id
        }
        let invitations = try await lobbying.all(ListInvitations.self) {
            ListInvitations.request(path: meeting, query: .init(limit: 200, cursor: $0), body: Empty())
        }
        let invited = Set(invitations.compactMap(\.official))
        for (index, official) in officials.enumerated() where !invited.contains(official) {
            let invitation = try await lobbying.send(
                Invite.request(
                    path: meeting, body: .init(official: official, guestOfHonour: index == 0)))
            _ = try await lobbying.send(
                TransitionInvitation.request(
                    path: invitation.id, body: .init(to: index == 2 ? .declined : .accepted)))
        }
        let came = officials.enumerated().filter { $0.offset != 2 }.map(\.element)
        _ = try await lobbying.send(
            RecordAttendance.request(path: meeting, body: .init(officials: came)))
        return "\(officials.count) officials invited, \(came.count) came"
    }

    private func fileOfficials() async throws -> [Official.ID] {
        let known = try await lobbying.all(ListOfficials.self) {
            ListOfficials.request(query: .init(limit: 200, cursor: $0))
        }
        var identifiers: [Official.ID] = []
        for guest in Self.guests {
            if let official = known.first(where: { $0.name == guest.name }) {
                identifiers.append(official.id)
                continue
            }
            let official = try await lobbying.send(
                CreateOfficial.request(body: .init(name: guest.name, kind: guest.kind)))
            _ = try await lobbying.send(
                AddOfficialMandate.request(
                    path: official.id,
                    body: .init(
                        institution: guest.institution, role: guest.role, departement: guest.departement,
                        from: "2024-07-08")))
            identifiers.append(official.id)
        }
        return identifiers
    }
}
