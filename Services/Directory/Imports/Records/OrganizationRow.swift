import ClubProtocol

/// The meaning of a column of an import about an organization.
enum OrganizationColumn: String, ImportColumn {
    case id, name, kind, subKind, siren, siret, street, postalCode, commune, departement, country, email, telephone,
        website, topics
    case parent, publicDirectory
    case generalEmail, accountingEmail, communicationEmail, eventsEmail, pressEmail, technicalEmail, trainingEmail

    /// The role of the mailbox.
    var mailbox: Mailbox.Role? {
        switch self {
        case .generalEmail: .general
        case .accountingEmail: .accounting
        case .communicationEmail: .communication
        case .eventsEmail: .events
        case .pressEmail: .press
        case .technicalEmail: .technical
        case .trainingEmail: .training
        default: nil
        }
    }

    static let identifying: Set<OrganizationColumn> = [.name, .siret, .email]
    static let identifyingNames = "name, SIRET or e-mail"

    var aliases: [String] {
        switch self {
        case .id: ExpertColumn.id.aliases
        case .name: ExpertColumn.name.aliases + ["libfs", "libelle", "intitule", "nomdelastructure", "nomorganisme"]
        case .kind: ["nature", "famille"]
        case .subKind: ["souscategorie", "soustype", "subtype"]
        case .siren: ["nsiren", "nosiren", "numerosiren", "sirennumber"]
        case .siret: ExpertColumn.siret.aliases + ["siretsiege", "siretdusiege", "pivot"]
        case .street: ["adresse", "rue", "voie", "address", "adressepostale", "numeroetrue", "streetaddress"]
        case .postalCode: ExpertColumn.postalCode.aliases + ["codpost", "adressecodepostal"]
        case .commune: ExpertColumn.commune.aliases + ["libcom", "adressecommune"]
        case .departement: ExpertColumn.departement.aliases + ["inseedep"]
        case .country: ExpertColumn.country.aliases
        case .email: ExpertColumn.email.aliases
        case .telephone: ExpertColumn.telephone.aliases
        case .website: ExpertColumn.website.aliases + ["contactweb"]
        case .topics: ExpertColumn.topics.aliases
        case .parent:
            [
                "tetedereseau", "siretdelatetedereseau", "sirendelatetedereseau", "siretparent", "sirenparent",
                "parentsiret", "parentsiren", "organisationmere", "siretdelorganisationmere",
                "sirendelorganisationmere", "maisonmere", "parentorganization", "parentorganisation",
                "headofnetwork", "rattachement", "organismederattachement",
            ]
        case .publicDirectory: ExpertColumn.publicDirectory.aliases
        case .generalEmail: Self.mailbox("general", "generale", "accueil", "secretariat")
        case .accountingEmail:
            Self.mailbox("comptabilite", "compta", "facturation", "comptable", "accounting", "billing")
        case .communicationEmail: Self.mailbox("communication", "com")
        case .eventsEmail: Self.mailbox("evenements", "evenementiel", "evenement", "events")
        case .pressEmail: Self.mailbox("presse", "relationspresse", "press")
        case .technicalEmail: Self.mailbox("technique", "informatique", "support", "technical")
        case .trainingEmail: Self.mailbox("formation", "formations", "training")
        }
    }
}

extension OrganizationColumn {
    var isExported: Bool { self != .country }
    var isFact: Bool { self == .country }

    /// `email comptabilité`, `mail compta`, `courriel de la comptabilité`.
    private static func mailbox(_ names: String...) -> [String] {
        names.flatMap { name in
            ["email", "mail", "courriel", "emailde", "emaildela", "emaildes", "courrieldela", "adresseemail"].map {
                $0 + name
            }
        }
    }
}

/// The data of one row about an organization.
struct OrganizationRow: PlacedRow {
    static let entity = EntityName.organization
    static let noun = "organization"

    /// Starting at 1, without the header.
    var row = 0
    /// The matched organization, or the new one.
    var id: Identifier<ImportRow>?
    var identifier: Identifier<ImportRow>?
    var isForeign: Bool?
    var emptied: [String]?
    var notes: [ImportNote]?
    var place: WrittenPlace?
    var name: Line?
    var kind: Organization.Kind?
    var subKind: Organization.SubKind?
    var siren: Siren?
    var siret: Siret?
    var street: Line?
    var postalCode: PostalCode?
    var commune: Line?
    /// As given by the row; otherwise derived from the postal code.
    var departement: Departement?
    var email: EmailAddress?
    /// By role.
    var mailboxes: [Mailbox.Role.RawValue: EmailAddress]?
    var telephone: Telephone?
    var website: WebAddress?
    var topics: [Topic]?
    /// The head of its network, identified by one of these.
    var parent: Organization.ID?
    var parentSiret: Siret?
    var parentSiren: Siren?
    /// Whether it is shown in the public directory while it is a member.
    var publicDirectory: Bool?
    /// For a new one, if the row does not give it.
    var kindOfNew: Organization.Kind?

    static let emptiable: Set<OrganizationColumn> = [
        .subKind, .siren, .siret, .street, .postalCode, .commune, .departement, .email, .telephone, .website, .topics,
        .parent, .generalEmail, .accountingEmail, .communicationEmail, .eventsEmail, .pressEmail, .technicalEmail,
        .trainingEmail,
    ]

    var missingForNew: OrganizationColumn? {
        if name == nil { return .name }
        return kind == nil && kindOfNew == nil ? .kind : nil
    }

    init(kindOfNew: Organization.Kind?) {
        self.kindOfNew = kindOfNew
    }

    var answers: Bool { publicDirectory != nil }

    mutating func conclude() throws(InvalidText) {
        settle()
        if siren == nil, let siret {
            siren = try? siret.siren
            guard siren != nil else { throw InvalidText("The SIRET does not begin with a valid SIREN.") }
        }
        if kind == nil { kind = subKind?.kind }
        if let siren, let siret, !siret.text.hasBytePrefix(siren.text) {
            throw InvalidText("The SIRET does not begin with the SIREN.")
        }
        if let kind, let subKind, subKind.kind != kind { throw InvalidText("The sub-kind does not match the kind.") }
        guard name != nil || siret != nil || email != nil || identifier != nil else {
            throw InvalidText("The row has neither name nor SIRET nor e-mail.")
        }
    }

    mutating func read(_ cell: String, as column: OrganizationColumn, _ topics: TopicVocabulary) throws(InvalidText) {
        switch column {
        case .id: identifier = try Cell.identifier(cell)
        case .name: name = try Cell.firmName(cell)
        case .kind: kind = try Self.kind(cell)
        case .subKind: subKind = try Self.subKind(cell)
        case .siren: siren = try Siren(validating: Cell.withoutBlanks(cell))
        case .siret: siret = try Siret(validating: Cell.withoutBlanks(cell))
        case .street: street = try Cell.line(cell)
        case .postalCode: place = (place ?? .init()).with(\.postalCode, cell)
        case .commune: commune = try Cell.line(cell)
        case .departement: place = (place ?? .init()).with(\.departement, cell)
        case .country: place = (place ?? .init()).with(\.country, cell)
        case .email: email = try EmailAddress(validating: cell)
        case .telephone: telephone = try Cell.telephone(cell)
        case .website: website = try Cell.website(cell)
        case .topics: self.topics = try Cell.list(cell, "/") { part throws(InvalidText) in try topics.code(of: part) }
        case .publicDirectory: publicDirectory = try Cell.yes(cell)
        case .generalEmail, .accountingEmail, .communicationEmail, .eventsEmail, .pressEmail, .technicalEmail,
            .trainingEmail:
            guard let role = column.mailbox else { return }
            var boxes = mailboxes ?? [:]
            boxes[role.rawValue] = try EmailAddress(validating: cell)
            mailboxes = boxes
        case .parent:
            let number = Cell.withoutBlanks(cell)
            switch number.utf8.count {
            case 9: parentSiren = try Siren(validating: number)
            case 14: parentSiret = try Siret(validating: number)
            default: parent = try Self.identifier(cell)
            }
        }
    }

    private static func identifier(_ cell: String) throws(InvalidText) -> Organization.ID {
        do throws(InvalidText) {
            return try Organization.ID(validating: cell)
        } catch {
            throw InvalidText("is neither a SIREN nor a SIRET")
        }
    }

    private static func kind(_ cell: String) throws(InvalidText) -> Organization.Kind {
        switch Cell.key(cell) {
        case "institution": return .institution
        case "brand", "marque": return .brand
        case "provider", "prestataire", "fournisseur": return .provider
        default: throw InvalidText("is neither institution nor brand (marque) nor provider (prestataire)")
        }
    }

    private static func subKind(_ cell: String) throws(InvalidText) -> Organization.SubKind {
        switch Cell.key(cell) {
        case "accountingcentre", "centredegestion", "centredegestionagree", "cga": return .accountingCentre
        case "federation", "federationprofessionnelle": return .federation
        case "regulatedprofession", "professionreglementee": return .regulatedProfession
        case "digitalspacenetwork", "espacepublicnumerique", "espacespublicsnumeriques", "epn":
            return .digitalSpaceNetwork
        case "regionalagency", "agenceregionale": return .regionalAgency
        case "chamber", "chambre", "cci", "cma", "chambredecommerce", "chambredecommerceetdindustrie",
            "chambredemetiers", "chambredemetiersetdelartisanat":
            return .chamber
        case "government", "administration": return .government
        default: break
        }
        guard let kind = try? ExpertRow.subKind(cell), let found = Organization.SubKind(rawValue: kind.rawValue) else {
            throw InvalidText("is not a kind of organization")
        }
        return found
    }
}
