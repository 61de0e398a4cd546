import ClubProtocol
import Postgres

/// The meaning of a column about an ambassador; most of them are about the person.
enum AmbassadorColumn: String, ImportColumn {
    case id, person, honorificPrefix, familyName, givenName, fullName, email, otherEmails, secondEmail, personalEmail
    case telephone, otherTelephones, secondTelephone, mobile, organization, siret, jobTitle, title, topics, departements
    case flashInfo, eventInvitations, publicDirectory, partnerOffers, consentDate, consentSource, enrolledOn, leftOn

    static let identifying: Set<AmbassadorColumn> = [.familyName, .fullName, .email]
    static let identifyingNames = PersonColumn.identifyingNames

    var aliases: [String] {
        switch self {
        case .person: ["personne", "identifiantpersonne", "identifiantdelapersonne"]
        case .topics: ExpertColumn.topics.aliases
        case .departements: ExpertColumn.departements.aliases + ["departement"] + ExpertColumn.departement.aliases
        case .enrolledOn: ["inscritle", "dateinscription", "datedinscription", "ambassadeurdepuis", "enrolmentdate"]
        case .leftOn: ["partile", "datededepart", "datesortie", "datedesortie", "leavingdate"]
        default: PersonColumn(rawValue: rawValue)?.aliases ?? []
        }
    }

    var isIdentifier: Bool { self == .id || self == .person }
    var isFact: Bool { self == .enrolledOn || self == .leftOn }
}

/// The data of one row about an ambassador. The person is imported as in an import of people, and then enrolled.
struct AmbassadorRow: ImportedRow {
    static let entity = EntityName.ambassador
    static let noun = "ambassador"

    /// All but the person: that is a record of its own, stored separately.
    private enum CodingKeys: String, CodingKey {
        case row, id, identifier, isForeign, emptied, person, organization, siret, organizationName, topics,
            departements, enrolledOn, leftOn
    }

    /// Starting at 1, without the header.
    var row = 0 { didSet { who.row = row } }
    /// The matched ambassador, or the new one.
    var id: Identifier<ImportRow>?
    var identifier: Identifier<ImportRow>?
    var isForeign: Bool? { didSet { who.isForeign = isForeign } }
    var emptied: [String]?
    var who = PersonRow(isAmbassador: true)
    /// The person: as identified by the row, and later as matched.
    var person: Identifier<ImportRow>?
    /// The home organization, from the row's data about the person.
    var organization: Organization.ID?
    var siret: Siret?
    var organizationName: Line?
    var topics: [Topic]?
    var departements: [Departement]?
    /// For a new one. An import enrols, but changes nothing for anyone who is enrolled or has left.
    var enrolledOn: Day?
    var leftOn: Day?

    static let emptiable: Set<AmbassadorColumn> = [
        .honorificPrefix, .givenName, .email, .otherEmails, .telephone, .otherTelephones, .jobTitle, .organization,
        .siret, .topics, .departements,
    ]

    /// The person may lack something.
    var missingForNew: AmbassadorColumn? { nil }

    var consentSource: Line? { who.consentSource }

    mutating func conclude() throws(InvalidText) {
        // The directory knows whose identifier the ambassador's is.
        who.identifier = person ?? identifier
        try who.conclude()
        (organization, siret, organizationName) = (who.organization, who.siret, who.organizationName)
        guard let leftOn else { return }
        guard let enrolledOn, enrolledOn <= leftOn else {
            throw InvalidText("A day of leaving needs an earlier day of enrolment.")
        }
    }

    mutating func read(_ cell: String, as column: AmbassadorColumn, _ topics: TopicVocabulary) throws(InvalidText) {
        switch column {
        case .id: identifier = try Cell.identifier(cell)
        case .person: person = try Cell.identifier(cell)
        case .topics: self.topics = try Cell.list(cell, "/") { part throws(InvalidText) in try topics.code(of: part) }
        case .departements: departements = try Cell.departements(cell)
        case .enrolledOn: enrolledOn = try Cell.day(cell, of: .enrolment)
        case .leftOn: leftOn = try Cell.day(cell, of: .enrolment)
        default:
            if let column = PersonColumn(rawValue: column.rawValue) { try who.read(cell, as: column, topics) }
        }
    }

    /// Address and telephone belong to the person.
    mutating func empty(_ column: AmbassadorColumn) {
        switch column {
        case .honorificPrefix, .givenName, .email, .otherEmails, .telephone, .otherTelephones, .jobTitle:
            if let column = PersonColumn(rawValue: column.rawValue) { who.empty(column) }
        case .siret: emptied = (emptied ?? []) + [AmbassadorColumn.organization.rawValue]
        default: emptied = (emptied ?? []) + [column.rawValue]
        }
    }

    /// The people first, then their roles in the club.
    static func write(
        _ rows: [AmbassadorRow], by writer: ImportWriter<AmbassadorRow>, in transaction: PostgresTransaction
    ) async throws -> ImportOutcome {
        var outcome = ImportOutcome()
        let rows = try await named(rows, in: transaction, into: &outcome)
        let people = try await writer.writer(of: PersonRow.self).write(rows.map(\.who), in: transaction)
        let outcomes = Dictionary(uniqueKeysWithValues: people.rows.map { ($0.row, $0) })
        var enrolling: [AmbassadorRow] = []
        for var row in rows {
            guard let who = outcomes[row.row], let person = who.record else {
                outcome.reject(row.row, outcomes[row.row]?.errors ?? [])
                continue
            }
            row.person = person
            enrolling.append(row)
        }
        for row in try await writer.write(enrolling, in: transaction).rows {
            let isPersonNew = row.outcome == .skipped && outcomes[row.row]?.outcome == .updated
            if row.outcome == .rejected {
                outcome.reject(row.row, row.errors)
            } else {
                outcome.add(
                    row.row, isPersonNew ? .updated : row.outcome, row.record, outcomes[row.row]?.notes ?? [])
            }
        }
        return outcome
    }
}
