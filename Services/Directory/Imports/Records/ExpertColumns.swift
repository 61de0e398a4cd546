/// The meaning of a column of an import about an expert.
enum ExpertColumn: String, ImportColumn {
    case id, name, siret, subKind, contactName, email, telephone, postalCode, commune, departement, country,
        departements
    case topics, brands, website, flashInfo, eventInvitations, publicDirectory, partnerOffers, consentDate,
        consentSource

    static let identifying: Set<ExpertColumn> = [.name, .siret, .email]
    static let identifyingNames = "name, SIRET or e-mail"

    var isExported: Bool { self != .country }
    var isFact: Bool { self == .country }

    var aliases: [String] {
        switch self {
        case .id: ["identifiant", "identifier", "uuid"]
        case .name:
            [
                "raisonsociale", "denomination", "nomentreprise", "nomdelentreprise", "nomdelasociete", "societe",
                "entreprise", "companyname", "company", "organisation", "organization", "name", "nom", "enseigne",
            ]
        case .siret: ["nsiret", "nosiret", "numerosiret", "numerodesiret", "siretnumber"]
        case .subKind: ["typedexpert", "kind", "type", "categorie", "category", "metier", "activite"]
        case .contactName:
            [
                "nomducontact", "nomcontact", "contactperson", "personneacontacter", "contact", "interlocuteur",
                "responsable", "dirigeant",
            ]
        case .email:
            [
                "mail", "mel", "courriel", "emailaddress", "adressemail", "adresseemail", "adresseelectronique",
                "emailcontact", "emailducontact", "contactemail", "mailcontact", "courrielducontact",
            ]
        case .telephone:
            [
                "tel", "phone", "telephonenumber", "phonenumber", "numerodetelephone", "telephonecontact",
                "contacttelephone", "contactphone", "notel", "ntel", "portable", "mobile",
            ]
        case .postalCode: ["codepostal", "cp", "zip", "zipcode", "postcode", "codepostale"]
        case .commune: ["ville", "city", "town", "localite", "municipality"]
        case .departement: ["dept", "dep", "dpt", "department", "codedepartement", "numerodepartement"]
        case .country:
            [
                "pays", "codepays", "paysiso", "nompays", "libellepays", "libpays", "adressepays", "paysadresse",
                "countrycode", "countryname", "countryiso",
            ]
        case .departements:
            [
                "departementsservis", "departementsdesservis", "departementscouverts", "departementsserved", "zone",
                "zones", "zonedintervention", "zoneintervention", "departmentsserved", "serves",
            ]
        case .topics:
            ["topic", "themes", "theme", "thematiques", "competences", "skills", "sujets", "specialites", "expertises"]
        case .brands: ["brand", "marques", "marque", "marquesrevendues", "marquesdistribuees", "brandsresold"]
        case .website: ["siteweb", "site", "siteinternet", "url", "web", "www", "internet", "homepage"]
        case .flashInfo: ["newsletter", "accordflashinfo", "consentementflashinfo", "infolettre", "flash"]
        case .eventInvitations: ["invitations", "invitation", "accordinvitations", "invitationsauxevenements"]
        case .publicDirectory: ["annuaire", "annuairepublic", "accordannuaire"]
        case .partnerOffers: ["offrespartenaires", "offresdespartenaires", "accordoffrespartenaires"]
        case .consentDate:
            ["dateconsentement", "datedeconsentement", "dateduconsentement", "dateaccord", "datedelaccord"]
        case .consentSource:
            ["sourceconsentement", "sourceduconsentement", "origineconsentement", "origineduconsentement"]
        }
    }
}
