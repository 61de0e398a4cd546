/// The endpoints of the directory service.
package enum DirectoryAPI {
    package static let service = ServiceName.directory
    package static let title = "Directory: organizations, people, mandates, memberships, ambassadors, experts"
    package static let endpoints = own + WebhookAPI.endpoints + JobAPI.endpoints + ServicePageAPI.endpoints

    private static let own: [any Endpoint.Type] = [
        ListTopics.self, CreateTopic.self, ChangeTopic.self, DeleteTopic.self,
        ListTiers.self, GetTier.self, CreateTier.self, ChangeTier.self,
        CreateOrganization.self, ListOrganizations.self, GetOrganization.self, ChangeOrganization.self,
        CreateMandate.self, ListMandates.self, ChangeMandate.self, DeleteMandate.self, ListAllMandates.self,
        CreatePerson.self, ListPeople.self, GetPerson.self, ChangePerson.self,
        CreateMembership.self, ListMemberships.self, GetMembership.self, ChangeMembership.self, DeleteMembership.self,
        RenewMemberships.self, ChangeMembershipTier.self,
        CallContributions.self, ListContributions.self, GetContribution.self, CancelContribution.self,
        CreatePayment.self, ListPayments.self, GetCredit.self, RefundCredit.self,
        ImportBankStatement.self, ListBankStatements.self, GetBankStatement.self,
        ListBankLines.self, GetBankLine.self, BookBankLine.self, DismissBankLine.self, ReopenBankLine.self,
        ListMembers.self, GetStanding.self,
        CreateAmbassador.self, ListAmbassadors.self, GetAmbassador.self, ChangeAmbassador.self,
        CreateExpert.self, ListExperts.self, GetExpert.self, ChangeExpert.self,
        SearchExperts.self, CountExperts.self,
        ConfirmExpert.self, TransitionExpert.self, ConfirmAmbassador.self, TransitionAmbassador.self,
        RequestConfirmations.self,
        ShowReceipt.self, ShowReceiptByLink.self, ListReceipts.self, GetReceiptDocument.self,
        GetReceiptDocumentByLink.self, ShowContributionCall.self, ShowContributionCallByLink.self,
        GetContributionCallDocument.self, GetContributionCallDocumentByLink.self,
        SendContributionReminders.self, ListContributionReminders.self,
        RequestSelfServiceLink.self, ShowSelfServiceEntry.self, SubmitSelfServiceEmail.self,
        ShowOwnRecord.self, ConfirmOwnRecord.self, TransitionOwnEnrolment.self, ShowOwnRecordForm.self,
        ChangeOwnRecord.self,
        GetOwnData.self, RequestOwnErasure.self,
        GetCoverage.self, ListCoverageGaps.self, ExportCoverage.self, GetCoverageMap.self,
        CreateReferral.self, ListReferrals.self, GetReferral.self, ListReferralMatches.self, CloseReferral.self,
        SendReferral.self, ListReferralOffers.self, GetReferralOffer.self, ChangeReferralOffer.self,
        ShowReferralInvitation.self, AnswerReferralInvitation.self, ShowReferralFollowUp.self,
        ReportReferralOutcome.self,
        ListPublicExperts.self, GetPublicExpert.self, ListPublicMembers.self, GetPublicMember.self,
        ShowExperts.self, ShowExpert.self, ShowMembers.self, ShowMember.self,
        ShowSitemap.self, ShowRobots.self,
        ListDuplicates.self, DismissDuplicate.self, ReopenDuplicate.self, ScanDuplicates.self, GetDuplicateScan.self,
        FindPossibleDuplicates.self,
        MergeRecords.self, ListMerges.self, GetMerge.self, UndoMerge.self,
        ExportExperts.self, ExportOrganizations.self, ExportPeople.self, ExportAmbassadors.self, ExportCards.self,
        GetCard.self,
        ExportMembers.self, ExportMemberships.self, ExportContributions.self, ExportPayments.self,
        ExportCreditEntries.self, ExportReceipts.self,
        ImportExperts.self, ImportOrganizations.self, ImportPeople.self, ImportAmbassadors.self,
        ListImports.self, GetImport.self, ListImportRows.self,
        ListPersonConsents.self, AddPersonConsent.self, ListExpertConsents.self, AddExpertConsent.self,
        GetPersonData.self, GetExpertData.self,
        CreateErasure.self, ListErasures.self, GetErasure.self, TransitionErasure.self, GetErasureNotice.self,
        ReportErasure.self,
        ListRetentionRules.self, ChangeRetentionRule.self, ListRetentionDue.self, GetAuditHead.self, VerifyAudit.self,
        ResolveAudience.self, CheckCaller.self, ReadChanges.self,
    ]
}

extension EntityName {
    package static let ambassador = EntityName(rawValue: "ambassador")
    package static let bankLine = EntityName(rawValue: "bankLine")
    package static let bankStatement = EntityName(rawValue: "bankStatement")
    package static let contribution = EntityName(rawValue: "contribution")
    package static let creditEntry = EntityName(rawValue: "creditEntry")
    package static let duplicate = EntityName(rawValue: "duplicate")
    package static let erasure = EntityName(rawValue: "erasure")
    package static let expert = EntityName(rawValue: "expert")
    package static let mandate = EntityName(rawValue: "mandate")
    package static let membership = EntityName(rawValue: "membership")
    package static let merge = EntityName(rawValue: "merge")
    package static let organization = EntityName(rawValue: "organization")
    package static let person = EntityName(rawValue: "person")
    package static let receipt = EntityName(rawValue: "receipt")
    package static let referral = EntityName(rawValue: "referral")
    package static let referralOffer = EntityName(rawValue: "referralOffer")
    package static let tier = EntityName(rawValue: "tier")
    package static let topic = EntityName(rawValue: "topic")

    package init(_ kind: RecordKind) { self.init(rawValue: kind.rawValue) }
    package init(_ subject: DataSubject.Entity) { self.init(rawValue: subject.rawValue) }
}
