/// What the directory serves.
package enum DirectoryAPI {
    package static let service = ServiceName.directory
    package static let title = "Directory: organizations, people, mandates, memberships, ambassadors, experts"
    package static let endpoints: [any Endpoint.Type] = [
        ListTopics.self, CreateTopic.self, ChangeTopic.self, DeleteTopic.self,
        ListTiers.self, GetTier.self, CreateTier.self, ChangeTier.self,
        CreateOrganization.self, ListOrganizations.self, GetOrganization.self, ChangeOrganization.self,
        CreateMandate.self, ListMandates.self, ChangeMandate.self, ListAllMandates.self,
        CreatePerson.self, ListPeople.self, GetPerson.self, ChangePerson.self,
        CreateMembership.self, ListMemberships.self, GetMembership.self, ChangeMembership.self,
        CallContributions.self, ListContributions.self, GetContribution.self, CreatePayment.self, ListPayments.self,
        ListMembers.self, GetStanding.self,
        CreateAmbassador.self, ListAmbassadors.self, GetAmbassador.self, ChangeAmbassador.self,
        CreateExpert.self, ListExperts.self, GetExpert.self, ChangeExpert.self,
        ExportExperts.self, ExportOrganizations.self, ExportPeople.self, ExportAmbassadors.self, ExportCards.self,
        GetCard.self,
        ImportExperts.self, ImportOrganizations.self, ImportPeople.self,
        ListImports.self, GetImport.self, ListImportRows.self,
        ResolveAudience.self, ReadChanges.self,
    ]
}
