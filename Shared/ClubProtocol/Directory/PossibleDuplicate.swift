import HTTPTypes

/// A record that may be the same as one being entered, by the rules of the nightly scan.
package struct PossibleDuplicate: Codable, Hashable, Sendable {
    package var id: DirectoryRecord.ID
    package var name: String
    /// The sum of the weights, from 0 to 100.
    package var score: Int
    /// Highest weight first.
    package var reasons: [Duplicate.Reason]

    package init(id: DirectoryRecord.ID, name: String, score: Int, reasons: [Duplicate.Reason]) {
        self.id = id
        self.name = name
        self.score = score
        self.reasons = reasons
    }
}

/// Finds records that may be the same as one about to be entered, by the rules of the nightly scan: likeliest first,
/// at most twenty, among those that the caller may see.
package enum FindPossibleDuplicates: Endpoint {
    package static let operation = Operation(
        .post, "/v1/possible-duplicates", "Lists the records that a new one may duplicate.",
        access: .roles(.operator, .representative))

    /// What is known of the record; absent fields are not compared.
    package struct Body: Codable, Sendable, BoundedFields {
        package var kind: RecordKind
        /// For an organization or an expert.
        package var name: Line?
        /// For a person.
        package var givenName: Line?
        package var familyName: Line?
        package var siren: Siren?
        package var siret: Siret?
        package var email: EmailAddress?
        /// A person's further addresses and telephone numbers, at most ten each.
        package var otherEmails: [EmailAddress]?
        package var telephone: Telephone?
        package var otherTelephones: [Telephone]?
        package var website: WebAddress?
        package var postalCode: PostalCode?
        /// By default that of the postal code.
        package var departement: Departement?
        /// Where a person works.
        package var organization: Organization.ID?
        /// An organization's head of network.
        package var parent: Organization.ID?

        package static let bounds: KeyValuePairs<String, FieldBound> = Person.bounds

        package init(
            kind: RecordKind, name: Line? = nil, givenName: Line? = nil, familyName: Line? = nil, siren: Siren? = nil,
            siret: Siret? = nil, email: EmailAddress? = nil, otherEmails: [EmailAddress]? = nil,
            telephone: Telephone? = nil, otherTelephones: [Telephone]? = nil, website: WebAddress? = nil,
            postalCode: PostalCode? = nil, departement: Departement? = nil, organization: Organization.ID? = nil,
            parent: Organization.ID? = nil
        ) {
            self.kind = kind
            self.name = name
            self.givenName = givenName
            self.familyName = familyName
            self.siren = siren
            self.siret = siret
            self.email = email
            self.otherEmails = otherEmails
            self.telephone = telephone
            self.otherTelephones = otherTelephones
            self.website = website
            self.postalCode = postalCode
            self.departement = departement
            self.organization = organization
            self.parent = parent
        }
    }

    package struct Response: Codable, Sendable {
        package var items: [PossibleDuplicate]

        package init(items: [PossibleDuplicate]) {
            self.items = items
        }
    }
}
