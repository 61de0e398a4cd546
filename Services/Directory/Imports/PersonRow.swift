import ClubProtocol

/// What a column of an import says about a person.
enum PersonColumn: String, ImportColumn {
    case id, honorificPrefix, familyName, givenName, email, otherEmails, telephone, otherTelephones, organization, siret
    case jobTitle
    case flashInfo, eventInvitations, publicDirectory, partnerOffers, consentDate, consentSource

    static let identifying: Set<PersonColumn> = [.familyName, .email]
    static let identifyingNames = "family name or e-mail"

    var aliases: [String] {
        switch self {
        case .id: ExpertColumn.id.aliases
        // The last ones are those of the HATVP's tables.
        case .familyName:
            ["nomdefamille", "nom", "nomusuel", "lastname", "surname", "name", "nomdirigeant", "nomcollaborateur"]
        case .givenName:
            ["prenom", "prenomusuel", "prenoms", "firstname", "forename", "prenomdirigeant", "prenomcollaborateur"]
        case .honorificPrefix: ["civilite", "honorificprefix", "prefix", "salutation"]
        case .email: ExpertColumn.email.aliases + ["courrierelectronique"]
        case .otherEmails: ["autrescourriels", "autresemails", "autresadressesemail", "autresmails"]
        case .telephone: ExpertColumn.telephone.aliases
        case .otherTelephones: ["autrestelephones", "autresnumeros"]
        case .jobTitle: ["fonction", "poste", "jobtitle", "title"]
        case .organization:
            [
                "organisation", "organizationname", "nomorganisation", "nomdelorganisation", "organisme", "structure",
                "societe", "entreprise", "raisonsociale", "employeur", "company", "companyname", "employer",
            ]
        case .siret: ExpertColumn.siret.aliases + ["siretorganisation", "siretdelorganisation"]
        case .flashInfo: ExpertColumn.flashInfo.aliases
        case .eventInvitations: ExpertColumn.eventInvitations.aliases
        case .publicDirectory: ExpertColumn.publicDirectory.aliases
        case .partnerOffers: ExpertColumn.partnerOffers.aliases
        case .consentDate: ExpertColumn.consentDate.aliases
        case .consentSource: ExpertColumn.consentSource.aliases
        }
    }
}

/// What one row says about a person.
struct PersonRow: ImportedRow {
    static let entity = "person"
    static let noun = "person"

    /// Counted from 1, without the header.
    var row = 0
    /// Of the person that the row was matched with, or of the new one.
    var id: Identifier<ImportRow>?
    var identifier: Identifier<ImportRow>?
    var isForeign: Bool?
    var emptied: [String]?
    var honorificPrefix: Line?
    var familyName: Line?
    var givenName: Line?
    var email: EmailAddress?
    var otherEmails: [EmailAddress]?
    var telephone: Telephone?
    var otherTelephones: [Telephone]?
    /// Where the person works, or that organization's SIRET, or its name.
    var organization: Organization.ID?
    var siret: Siret?
    var organizationName: Line?
    var jobTitle: Line?
    var consents: ConsentChoices?
    var consentDate: Day?
    var consentSource: Line?
    /// Whether the organization is the one for which an ambassador advises: somebody who is known may work elsewhere.
    var isAmbassador: Bool?

    static let emptiable: Set<PersonColumn> = [
        .honorificPrefix, .email, .otherEmails, .telephone, .otherTelephones, .organization, .siret, .jobTitle,
    ]

    /// One name is enough, whichever of both cells it stands in.
    var missingForNew: PersonColumn? { familyName == nil && givenName == nil ? .familyName : nil }

    var answers: Bool { consents != nil }

    mutating func conclude() throws(InvalidText) {
        try checkConsent()
        guard familyName != nil || email != nil || identifier != nil else {
            throw InvalidText("The row has neither family name nor e-mail.")
        }
    }

    mutating func read(_ cell: String, as column: PersonColumn, _ topics: TopicVocabulary) throws(InvalidText) {
        switch column {
        case .id: identifier = try Cell.identifier(cell)
        case .familyName: familyName = try Cell.line(cell)
        case .givenName: givenName = try Cell.line(cell)
        case .honorificPrefix: honorificPrefix = try Cell.line(cell)
        case .email: email = try EmailAddress(validating: cell)
        case .otherEmails:
            otherEmails = try Self.few(
                try Cell.list(cell) { part throws(InvalidText) in try EmailAddress(validating: part) })
        case .telephone: telephone = try Cell.telephone(cell)
        case .otherTelephones:
            otherTelephones = try Self.few(
                try Cell.list(cell) { part throws(InvalidText) in try Cell.telephone(part) })
        case .jobTitle: jobTitle = try Cell.line(cell)
        case .organization: try readOrganization(cell)
        case .siret: siret = try Siret(validating: Cell.withoutBlanks(cell))
        case .flashInfo: consents = (consents ?? .init()).with(\.flashInfo, try Cell.yes(cell))
        case .eventInvitations: consents = (consents ?? .init()).with(\.eventInvitations, try Cell.yes(cell))
        case .publicDirectory: consents = (consents ?? .init()).with(\.publicDirectory, try Cell.yes(cell))
        case .partnerOffers: consents = (consents ?? .init()).with(\.partnerOffers, try Cell.yes(cell))
        case .consentDate: consentDate = try Cell.day(cell, of: .consent)
        case .consentSource: consentSource = try Cell.line(cell)
        }
    }

    /// As many as a person may have besides the first.
    private static func few<Value>(_ values: [Value]) throws(InvalidText) -> [Value] {
        guard values.count <= 10 else { throw InvalidText("are more than 10") }
        return values
    }

    mutating func empty(_ column: PersonColumn) {
        emptied = (emptied ?? []) + [column == .siret ? PersonColumn.organization.rawValue : column.rawValue]
    }

    /// A column that has a SIRET as its header says it better.
    private mutating func readOrganization(_ cell: String) throws(InvalidText) {
        if let id = try? Organization.ID(validating: cell) {
            organization = id
        } else if let number = try? Siret(validating: Cell.withoutBlanks(cell)) {
            siret = siret ?? number
        } else {
            organizationName = try Cell.line(cell)
        }
    }
}
