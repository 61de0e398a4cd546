import Foundation

/// What a column of an import says about an expert.
enum ExpertColumn: String, CaseIterable {
    case name, siret, subKind, contactName, email, telephone, postalCode, commune, departement, departements, topics
    case brands, website, flashInfo, eventInvitations, publicDirectory, partnerOffers

    /// The headers by which people know it, French and English, folded by ``Folding/key(_:)``; besides, its own name.
    private var aliases: [String] {
        switch self {
        case .name:
            [
                "nom", "raisonsociale", "denomination", "societe", "entreprise", "enseigne", "nomentreprise",
                "nomdelentreprise", "nomdelasociete", "company", "companyname", "organisation", "organization",
            ]
        case .siret: ["nsiret", "nosiret", "numerosiret", "numerodesiret", "siretnumber"]
        case .subKind: ["kind", "type", "categorie", "category", "metier", "activite", "typedexpert"]
        case .contactName:
            [
                "contact", "nomducontact", "nomcontact", "interlocuteur", "responsable", "dirigeant", "contactperson",
                "personneacontacter",
            ]
        case .email:
            [
                "mail", "mel", "courriel", "emailaddress", "adressemail", "adresseemail", "adresseelectronique",
                "emailcontact", "emailducontact", "contactemail", "mailcontact", "courrielducontact",
            ]
        case .telephone:
            [
                "tel", "phone", "telephonenumber", "phonenumber", "numerodetelephone", "telephonecontact",
                "contacttelephone", "contactphone", "portable", "mobile", "notel", "ntel",
            ]
        case .postalCode: ["codepostal", "cp", "zip", "zipcode", "postcode", "codepostale"]
        case .commune: ["ville", "city", "town", "localite", "municipality"]
        case .departement: ["dept", "dep", "dpt", "department", "codedepartement", "numerodepartement"]
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
        }
    }

    private static let byHeader: [String: ExpertColumn] = {
        var result: [String: ExpertColumn] = [:]
        for column in allCases {
            for alias in [column.rawValue.lowercased()] + column.aliases { result[alias] = column }
        }
        return result
    }()

    /// The column that a header means, whatever its accents, case and signs.
    init?(header: String) {
        guard let column = Self.byHeader[Folding.key(header)] else { return nil }
        self = column
    }
}

/// Text without accents, case and signs, for comparing what people typed with what is known.
enum Folding {
    static func key(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.decomposedStringWithCompatibilityMapping.lowercased().unicodeScalars.filter {
                    ("a"..."z").contains($0) || ("0"..."9").contains($0)
                }))
    }
}

/// The first record of a file: which cell says what.
struct ExpertHeader {
    /// By the place of the cell; nil: unknown, left aside.
    let columns: [ExpertColumn?]
    let titles: [String]

    var unknown: [String] {
        zip(columns, titles).compactMap { column, title in column == nil && !title.isEmpty ? title : nil }
    }

    /// The header of the file for a column, as it stands there.
    func title(of column: ExpertColumn) -> String? {
        columns.firstIndex(of: column).map { titles[$0] }
    }

    /// - Throws: ``HeaderFault`` when two cells say the same, or none by which an expert could be known.
    init(_ cells: [String]) throws(HeaderFault) {
        titles = cells.map { String($0.trimmingCharacters(in: .whitespacesAndNewlines).prefix(100)) }
        columns = titles.map { ExpertColumn(header: $0) }
        var seen: Set<ExpertColumn> = []
        for (column, title) in zip(columns, titles) {
            guard let column else { continue }
            guard seen.insert(column).inserted else {
                throw HeaderFault(detail: "Two columns say the same; the second is “\(title)”.")
            }
        }
        guard !seen.isDisjoint(with: [.name, .siret, .email]) else {
            throw HeaderFault(
                detail: "The first line has no column for name, SIRET or e-mail: it must hold the headers.")
        }
    }
}

struct HeaderFault: Error {
    var detail: String
}
