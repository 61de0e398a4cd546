/// What the directory serves.
package enum DirectoryAPI {
    package static let service = ServiceName.directory
    package static let title = "Directory: organizations, people, mandates, memberships, ambassadors, experts"
    package static let endpoints = own + WebhookAPI.endpoints + JobAPI.endpoints

    private static let own: [any Endpoint.Type] = [
        ListTopics.self, CreateTopic.self, ChangeTopic.self, DeleteTopic.self,
        ListTiers.self, GetTier.self, CreateTier.self, ChangeTier.self,
        CreateOrganization.self, ListOrganizations.self, GetOrganization.self, ChangeOrganization.self,
        CreateMandate.self, ListMandates.self, ChangeMandate.self, DeleteMandate.self, ListAllMandates.self,
        CreatePerson.self, ListPeople.self, GetPerson.self, ChangePerson.self,
        CreateMembership.self, ListMemberships.self, GetMembership.self, ChangeMembership.self, DeleteMembership.self,
        RenewMemberships.self,
        CallContributions.self, ListContributions.self, GetContribution.self, CancelContribution.self,
        CreatePayment.self, ListPayments.self,
        ListMembers.self, GetStanding.self,
        CreateAmbassador.self, ListAmbassadors.self, GetAmbassador.self, ChangeAmbassador.self,
        CreateExpert.self, ListExperts.self, GetExpert.self, ChangeExpert.self,
        SearchExperts.self, CountExperts.self,
        ConfirmExpert.self, MoveExpert.self, ConfirmAmbassador.self, MoveAmbassador.self, CallConfirmations.self,
        ShowReceipt.self, ShowReceiptByLink.self, ListReceipts.self,
        RemindContributions.self, ListContributionReminders.self,
        AskSelfServiceLink.self, ShowSelfServiceDoor.self, KnockAtSelfService.self,
        ShowSelf.self, ConfirmSelf.self, MoveSelf.self, ShowSelfForm.self, ChangeSelf.self,
        GetSelfData.self, AskSelfErasure.self,
        GetCoverage.self, ListCoverageGaps.self, ExportCoverage.self, DrawCoverage.self,
        CreateReferral.self, ListReferrals.self, GetReferral.self, ListReferralMatches.self, CloseReferral.self,
        SendReferral.self, ListReferralOffers.self, GetReferralOffer.self, ChangeReferralOffer.self,
        ShowReferralInvitation.self, AnswerReferralInvitation.self, ShowReferralFollowUp.self,
        TellReferralOutcome.self,
        ListPublicExperts.self, GetPublicExpert.self, ListPublicMembers.self, GetPublicMember.self,
        ShowExperts.self, ShowExpert.self, ShowMembers.self, ShowMember.self,
        ShowSitemap.self, ShowRobots.self,
        ListDuplicates.self, DismissDuplicate.self, ReopenDuplicate.self, ScanDuplicates.self, GetDuplicateScan.self,
        FindPossibleDuplicates.self,
        MergeRecords.self, ListMerges.self, GetMerge.self, UndoMerge.self,
        ExportExperts.self, ExportOrganizations.self, ExportPeople.self, ExportAmbassadors.self, ExportCards.self,
        GetCard.self,
        ImportExperts.self, ImportOrganizations.self, ImportPeople.self, ImportAmbassadors.self,
        ListImports.self, GetImport.self, ListImportRows.self,
        ListPersonConsents.self, AddPersonConsent.self, ListExpertConsents.self, AddExpertConsent.self,
        GetPersonData.self, GetExpertData.self,
        CreateErasure.self, ListErasures.self, GetErasure.self, MoveErasure.self, GetErasureNotice.self,
        ReportErasure.self,
        ListRetentionRules.self, ChangeRetentionRule.self, ListRetentionDue.self, GetAuditHead.self, VerifyAudit.self,
        ResolveAudience.self, ReadChanges.self,
    ]
}
