/// What the directory serves.
package enum DirectoryAPI {
    package static let service = ServiceName.directory
    package static let title = "Directory: organizations, people, mandates, memberships, ambassadors, experts"
    package static let endpoints: [any Endpoint.Type] = [
        CreateOrganization.self, ListOrganizations.self, GetOrganization.self, ChangeOrganization.self,
        CreateMandate.self, ListMandates.self, ChangeMandate.self,
        CreatePerson.self, ListPeople.self, GetPerson.self, ChangePerson.self,
        CreateMembership.self, ListMemberships.self, GetMembership.self, ChangeMembership.self,
        CallContributions.self, ListContributions.self, GetContribution.self, CreatePayment.self, ListPayments.self,
        GetStanding.self,
        CreateAmbassador.self, ListAmbassadors.self, GetAmbassador.self, ChangeAmbassador.self,
        CreateExpert.self, ListExperts.self, GetExpert.self, ChangeExpert.self,
        ListDuplicates.self, DismissDuplicate.self, ReopenDuplicate.self, ScanDuplicates.self, GetDuplicateScan.self,
        MergeRecords.self, ListMerges.self, GetMerge.self, UndoMerge.self,
        ImportExperts.self, ResolveAudience.self, ReadChanges.self,
    ]
}
