/// The endpoints of the content service.
package enum ContentAPI {
    package static let service = ServiceName.content
    package static let title = "Content: resources, Flash info, mailings"
    package static let endpoints = own + WebhookAPI.endpoints + JobAPI.endpoints + ServicePageAPI.endpoints

    private static let own: [any Endpoint.Type] = [
        CreateResource.self, ListResources.self, GetResource.self, ChangeResource.self,
        CreateIssue.self, ListIssues.self, GetIssue.self, AddIssueItem.self, TransitionIssue.self,
        ChangeIssue.self, ChangeIssueItem.self, RemoveIssueItem.self, CheckIssue.self,
        SendIssueTest.self, CorrectIssue.self, ListCorrections.self, CreateErratum.self,
        TakeInboundMessage.self, TakeBounce.self, ListInboundMessages.self, GetInboundMessage.self,
        GetInboundSource.self, TransitionInboundMessage.self,
        GetIssueFigures.self,
        ListDeliveries.self, GetDelivery.self, ListMissed.self, ExportMissed.self, ResendIssue.self, ListMailLanes.self,
        TransitionMailLane.self, ListMailChecks.self,
        CreateSuppression.self, ListSuppressions.self, GetSuppression.self, LiftSuppression.self, Unsubscribe.self,
        ImportSuppressions.self,
        ShowUnsubscription.self, ShowPreferences.self, ChangePreferences.self, RequestPreferenceLink.self,
        SendLetter.self, SendLetterBatch.self, ListLetters.self, GetLetter.self, CancelLetter.self,
        ReadPersonalData.self, ListRetentionRules.self, ChangeRetentionRule.self, ListRetentionDue.self,
        GetAuditHead.self, VerifyAudit.self, ReadChanges.self,
    ]
}

extension EntityName {
    package static let consentReturn = EntityName(rawValue: "consentReturn")
    package static let inboundMessage = EntityName(rawValue: "inboundMessage")
    package static let issue = EntityName(rawValue: "issue")
    package static let letter = EntityName(rawValue: "letter")
    package static let readerPreference = EntityName(rawValue: "readerPreference")
    package static let resource = EntityName(rawValue: "resource")
    package static let suppression = EntityName(rawValue: "suppression")
}
