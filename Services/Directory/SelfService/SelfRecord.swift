import ClubProtocol
import ServiceKit

/// An own record, as shown to the user of its link.
enum SelfRecord: Sendable {
    case ambassador(Ambassador, Person)
    case expert(Expert)

    var enrollee: Enrollee {
        switch self {
        case .ambassador(let ambassador, _): .ambassador(ambassador.id)
        case .expert(let expert): .expert(expert.id)
        }
    }

    var title: String {
        switch self {
        case .ambassador(_, let person): person.name
        case .expert(let expert): expert.name.text
        }
    }

    var email: EmailAddress? {
        switch self {
        case .ambassador(_, let person): person.email
        case .expert(let expert): expert.email
        }
    }

    /// The version of the row that contains the address.
    var addressVersion: Int {
        switch self {
        case .ambassador(_, let person): person.version
        case .expert(let expert): expert.version
        }
    }

    var leftOn: Day? {
        switch self {
        case .ambassador(let ambassador, _): ambassador.leftOn
        case .expert(let expert): expert.leftOn
        }
    }

    var confirmedAt: Timestamp {
        switch self {
        case .ambassador(let ambassador, _): ambassador.confirmedAt
        case .expert(let expert): expert.confirmedAt
        }
    }

    var topics: [Topic] {
        switch self {
        case .ambassador(let ambassador, _): ambassador.topics
        case .expert(let expert): expert.topics
        }
    }

    var departements: [Departement] {
        switch self {
        case .ambassador(let ambassador, _): ambassador.departements
        case .expert(let expert): expert.departements
        }
    }

    var consents: Consents {
        switch self {
        case .ambassador(_, let person): person.consents
        case .expert(let expert): expert.consents
        }
    }

    var telephone: Telephone? {
        switch self {
        case .ambassador(_, let person): person.telephone
        case .expert(let expert): expert.telephone
        }
    }

    /// Its data subject.
    var subject: DataSubject {
        switch self {
        case .ambassador(_, let person): DataSubject(person.id)
        case .expert(let expert): DataSubject(expert.id)
        }
    }

    /// Acts in its own name, with the rights of its own token, on nothing but itself.
    var principal: Principal {
        switch self {
        case .ambassador(let ambassador, let person):
            Principal(subject: "ambassador:\(ambassador.id)", role: .ambassador, person: person.id)
        case .expert(let expert):
            Principal(subject: "expert:\(expert.id)", role: .expert, organization: Organization.ID(expert.id.uuid))
        }
    }
}
