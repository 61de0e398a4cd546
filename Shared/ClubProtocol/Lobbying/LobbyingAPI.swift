/// The endpoints of the lobbying service.
package enum LobbyingAPI {
    package static let service = ServiceName.lobbying
    package static let title = "Lobbying: officials, mandates, the Cercle's meetings"
    package static let endpoints = own + WebhookAPI.endpoints + JobAPI.endpoints + ServicePageAPI.endpoints

    private static let own: [any Endpoint.Type] = [
        CreateOfficial.self, ListOfficials.self, GetOfficial.self, ChangeOfficial.self,
        AddOfficialMandate.self, ListOfficialMandates.self,
        CreateCircleMeeting.self, ListCircleMeetings.self, GetCircleMeeting.self,
        Invite.self, ListInvitations.self, TransitionInvitation.self,
        RecordAttendance.self, GetAttendance.self,
        ReadPersonalData.self, GetAuditHead.self, VerifyAudit.self, ReadChanges.self,
    ]

    /// Roles that prepare the Cercle.
    static let writers = Access.roles(.operator, .lobbyist)
    static let readers = Access.roles(.operator, .lobbyist, .auditor)
}

extension EntityName {
    package static let circleMeeting = EntityName(rawValue: "circleMeeting")
    package static let invitation = EntityName(rawValue: "invitation")
    package static let official = EntityName(rawValue: "official")
}
