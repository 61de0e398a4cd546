import ClubProtocol

/// The data of one row about an expert.
struct ExpertRow: PlacedRow {
    static let entity = EntityName.expert
    static let noun = "expert"

    /// Starting at 1, without the header.
    var row = 0
    /// The matched expert, or the new one.
    var id: Identifier<ImportRow>?
    var identifier: Identifier<ImportRow>?
    var isForeign: Bool?
    var emptied: [String]?
    var notes: [ImportNote]?
    var place: WrittenPlace?
    var subKind: Expert.SubKind?
    var name: Line?
    var siret: Siret?
    var contactName: Line?
    var email: EmailAddress?
    var telephone: Telephone?
    var postalCode: PostalCode?
    var commune: Line?
    /// As given by the row; otherwise derived from the postal code.
    var departement: Departement?
    var departements: [Departement]?
    var topics: [Topic]?
    var brands: [Line]?
    var website: WebAddress?
    var consents: ConsentChoices?
    var consentDate: Day?
    var consentSource: Line?

    static let emptiable: Set<ExpertColumn> = [
        .siret, .contactName, .email, .telephone, .departements, .topics, .brands, .website,
    ]

    /// What a new expert needs and this row does not have.
    var missingForNew: ExpertColumn? {
        if name == nil { return .name }
        if subKind == nil { return .subKind }
        if postalCode == nil, departement != .abroad { return .postalCode }
        if commune == nil { return .commune }
        if Departement(said: departement, postalCode: postalCode) == nil { return .departement }
        return nil
    }

    var answers: Bool { consents != nil }

    mutating func conclude() throws(InvalidText) {
        try checkConsent()
        settle()
        guard name != nil || siret != nil || email != nil || identifier != nil else {
            throw InvalidText("The row has neither name nor SIRET nor e-mail.")
        }
    }

    mutating func read(_ cell: String, as column: ExpertColumn, _ topics: TopicVocabulary) throws(InvalidText) {
        switch column {
        case .id: identifier = try Cell.identifier(cell)
        case .name: name = try Cell.firmName(cell)
        case .siret: siret = try Siret(validating: Cell.withoutBlanks(cell))
        case .subKind: subKind = try Self.subKind(cell)
        case .contactName: contactName = try Cell.personName(cell)
        case .email: email = try EmailAddress(validating: cell)
        case .telephone: telephone = try Cell.telephone(cell)
        case .postalCode: place = (place ?? .init()).with(\.postalCode, cell)
        case .commune: commune = try Cell.line(cell)
        case .departement: place = (place ?? .init()).with(\.departement, cell)
        case .country: place = (place ?? .init()).with(\.country, cell)
        case .departements: departements = try Cell.departements(cell)
        case .topics: self.topics = try Cell.list(cell, "/") { part throws(InvalidText) in try topics.code(of: part) }
        case .brands: brands = try Cell.list(cell) { part throws(InvalidText) in try Cell.line(part) }
        case .website: website = try Cell.website(cell)
        case .flashInfo: consents = (consents ?? .init()).with(\.flashInfo, try Cell.yes(cell))
        case .eventInvitations: consents = (consents ?? .init()).with(\.eventInvitations, try Cell.yes(cell))
        case .publicDirectory: consents = (consents ?? .init()).with(\.publicDirectory, try Cell.yes(cell))
        case .partnerOffers: consents = (consents ?? .init()).with(\.partnerOffers, try Cell.yes(cell))
        case .consentDate: consentDate = try Cell.day(cell, of: .consent)
        case .consentSource: consentSource = try Cell.line(cell)
        }
    }

    static func subKind(_ cell: String) throws(InvalidText) -> Expert.SubKind {
        switch Cell.key(cell) {
        case "webagency", "webagencies", "agenceweb", "agence", "agency": return .webAgency
        case "reseller", "resellers", "revendeur", "distributeur", "revendeurinformatique": return .reseller
        default: throw InvalidText("is neither web agency (agence web) nor reseller (revendeur)")
        }
    }
}

extension ConsentChoices {
    /// With one more answer.
    func with(_ purpose: WritableKeyPath<ConsentChoices, Bool?>, _ answer: Bool) -> ConsentChoices {
        var choices = self
        choices[keyPath: purpose] = answer
        return choices
    }
}
