import ClubProtocol

/// The meaning of a column of an import about a person.
enum PersonColumn: String, ImportColumn {
    case id, honorificPrefix, familyName, givenName, fullName, email, otherEmails, secondEmail, personalEmail
    case telephone, otherTelephones, secondTelephone, mobile, organization, siret, jobTitle, title
    case flashInfo, eventInvitations, publicDirectory, partnerOffers, consentDate, consentSource

    static let identifying: Set<PersonColumn> = [.familyName, .fullName, .email]
    static let identifyingNames = "family name or e-mail"

    var aliases: [String] {
        switch self {
        case .id: ExpertColumn.id.aliases
        // The last ones are from the HATVP's tables.
        case .familyName:
            ["nomdefamille", "nom", "nomusuel", "lastname", "surname", "name", "nomdirigeant", "nomcollaborateur"]
        case .givenName:
            ["prenom", "prenomusuel", "prenoms", "firstname", "forename", "prenomdirigeant", "prenomcollaborateur"]
        case .honorificPrefix:
            ["civilite", "civ", "prefix", "salutation", "honorifictitle", "civilitedirigeant", "civilitecollaborateur"]
        case .fullName: ["nomcomplet", "nometprenom", "nomprenom", "prenomnom", "prenometnom"]
        case .email: ExpertColumn.email.aliases + ["courrierelectronique"]
        case .otherEmails:
            [
                "autresemails", "autresmails", "autrescourriels", "autresadresses", "autreemail", "autremail",
                "autrecourriel",
            ]
        case .secondEmail: ["email2", "mail2", "courriel2", "adresseemail2", "emailsecondaire", "secondemail"]
        case .personalEmail: ["emailpersonnel", "emailperso", "mailpersonnel", "mailperso", "courrielpersonnel"]
        case .telephone: ExpertColumn.telephone.aliases.filter { !PersonColumn.mobile.aliases.contains($0) }
        case .otherTelephones: ["autrestelephones", "autrestel", "autretelephone", "autretel", "autresnumeros"]
        case .secondTelephone: ["telephone2", "tel2", "phone2", "secondtelephone", "telephonesecondaire"]
        case .mobile:
            ["portable", "telephoneportable", "telportable", "telephonemobile", "telmobile", "mobilephone", "gsm"]
        case .jobTitle:
            ["fonction", "fonctions", "poste", "position", "function", "fonctiondirigeant", "fonctioncollaborateur"]
        // The content tells which of the two it is: the Senate's `Qualité` is a civility.
        case .title: ["titre", "qualite"]
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

/// The data of one row about a person.
struct PersonRow: ImportedRow {
    static let entity = EntityName.person
    static let noun = "person"

    /// Starting at 1, without the header.
    var row = 0
    /// The matched person, or the new one.
    var id: Identifier<ImportRow>?
    var identifier: Identifier<ImportRow>?
    var isForeign: Bool?
    var emptied: [String]?
    var honorificPrefix: Line?
    var familyName: Line?
    var givenName: Line?
    var email: EmailAddress?
    /// Additional ones, from any columns; each once.
    var otherEmails: [EmailAddress]?
    var telephone: Telephone?
    var otherTelephones: [Telephone]?
    var jobTitle: Line?
    /// The person's organization, or its SIRET, or its name.
    var organization: Organization.ID?
    var siret: Siret?
    var organizationName: Line?
    var consents: ConsentChoices?
    var consentDate: Day?
    var consentSource: Line?
    /// Whether the organization is the one that an ambassador advises for: an existing person may work elsewhere.
    var isAmbassador: Bool?

    static let emptiable: Set<PersonColumn> = [
        .honorificPrefix, .givenName, .email, .otherEmails, .telephone, .otherTelephones, .organization, .siret,
        .jobTitle,
    ]

    /// One name is enough, in either cell.
    var missingForNew: PersonColumn? { familyName == nil && givenName == nil ? .familyName : nil }

    var answers: Bool { consents != nil }

    mutating func conclude() throws(InvalidText) {
        try checkConsent()
        guard familyName != nil || email != nil || otherEmails != nil || identifier != nil else {
            throw InvalidText("The row has neither family name nor e-mail.")
        }
        guard otherEmails?.count ?? 0 <= Person.mostFurther, otherTelephones?.count ?? 0 <= Person.mostFurther else {
            throw InvalidText("The row has more than ten further addresses or telephones.")
        }
    }

    mutating func read(_ cell: String, as column: PersonColumn, _ topics: TopicVocabulary) throws(InvalidText) {
        switch column {
        case .id: identifier = try Cell.identifier(cell)
        case .familyName: familyName = try Cell.personName(cell)
        case .givenName: givenName = try Cell.personName(cell)
        case .honorificPrefix: honorificPrefix = try Cell.line(cell)
        case .fullName: try readFullName(cell)
        case .email:
            let all = try Cell.several(cell) { part throws(InvalidText) in try EmailAddress(validating: part) }
            email = all.first
            add(all.dropFirst())
        case .otherEmails, .secondEmail, .personalEmail:
            add(try Cell.several(cell) { part throws(InvalidText) in try EmailAddress(validating: part) })
        case .telephone:
            let all = try Cell.several(cell, Cell.telephone)
            telephone = all.first
            add(all.dropFirst())
        case .otherTelephones, .secondTelephone, .mobile: add(try Cell.several(cell, Cell.telephone))
        case .jobTitle: jobTitle = try Cell.line(cell)
        case .title:
            if Self.isCivility(cell) {
                if honorificPrefix == nil { honorificPrefix = try Cell.line(cell) }
            } else {
                if jobTitle == nil { jobTitle = try Cell.line(cell) }
            }
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

    mutating func empty(_ column: PersonColumn) {
        emptied = (emptied ?? []) + [column == .siret ? PersonColumn.organization.rawValue : column.rawValue]
    }

    private mutating func add(_ emails: some Collection<EmailAddress>) {
        guard !emails.isEmpty else { return }
        otherEmails = (otherEmails ?? []) + emails.filter { otherEmails?.contains($0) != true }
    }

    private mutating func add(_ telephones: some Collection<Telephone>) {
        guard !telephones.isEmpty else { return }
        otherTelephones = (otherTelephones ?? []) + telephones.filter { otherTelephones?.contains($0) != true }
    }

    /// Whether a cell is a form of address rather than an occupation.
    private static func isCivility(_ cell: String) -> Bool {
        [
            "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "dr", "docteur", "pr", "professeur", "me",
            "maitre", "ms", "mrs",
        ].contains(Cell.key(cell))
    }

    /// Both names in one cell. If only one is in capitals, it is the family name; otherwise the given name comes first.
    /// A single word is the only name.
    private mutating func readFullName(_ cell: String) throws(InvalidText) {
        guard familyName == nil, givenName == nil, let name = try Cell.personName(cell) else { return }
        let words = name.text.unicodeScalars.split { $0 == " " }.map { String($0) }
        // text: a line of at most 200 characters, without long runs of combining marks
        let isCapital = words.map { $0.utf8.count > 1 && $0.uppercased().utf8.elementsEqual($0.utf8) }
        let split: (given: [String], family: [String]) =
            if isCapital.contains(true), isCapital.contains(false) {
                (zip(words, isCapital).filter { !$1 }.map(\.0), zip(words, isCapital).filter { $1 }.map(\.0))
            } else {
                words.count == 1 ? ([], words) : ([words[0]], Array(words.dropFirst()))
            }
        familyName = try Line(validating: split.family.joined(separator: " "))
        givenName = split.given.isEmpty ? nil : try Line(validating: split.given.joined(separator: " "))
    }

    /// A SIRET column takes precedence over this one.
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
