/// The endpoints of the events service.
package enum EventsAPI {
    package static let service = ServiceName.events
    package static let title = "Events: sessions, seats, registrations"
    package static let endpoints = own + WebhookAPI.endpoints + JobAPI.endpoints + ServicePageAPI.endpoints

    private static let own: [any Endpoint.Type] = [
        CreateEvent.self, ListEvents.self, GetEvent.self, ChangeEvent.self, TransitionEvent.self,
        AddSession.self, ListSessions.self, GetSession.self, ChangeSession.self,
        RegisterForEvent.self, ListRegistrations.self, GetRegistration.self, CancelRegistration.self,
        ReadPersonalData.self, ListRetentionRules.self, ChangeRetentionRule.self, ListRetentionDue.self,
        GetAuditHead.self, VerifyAudit.self, ReadChanges.self,
    ]
}

extension EntityName {
    package static let event = EntityName(rawValue: "event")
    package static let registration = EntityName(rawValue: "registration")
    package static let session = EntityName(rawValue: "session")
}
