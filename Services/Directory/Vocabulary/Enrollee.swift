import ClubProtocol
import Postgres

/// An ambassador or an expert: they enrol, confirm and leave.
enum Enrollee: Hashable, Sendable {
    case ambassador(Ambassador.ID)
    case expert(Expert.ID)

    /// In the journal.
    var entity: EntityName {
        switch self {
        case .ambassador: .ambassador
        case .expert: .expert
        }
    }

    /// Of the ambassador or the expert.
    var id: Identifier<Enrollee> {
        switch self {
        case .ambassador(let id): .init(id.uuid)
        case .expert(let id): .init(id.uuid)
        }
    }

    /// Also the name of a column of the tables that point to either.
    var table: SQL {
        switch self {
        case .ambassador: "ambassador"
        case .expert: "expert"
        }
    }

    /// `expert:0193…`
    var text: String { "\(entity.rawValue):\(id)" }

    init?(text: String) {
        let parts = text.split(atByte: UInt8(ascii: ":"), maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "ambassador":
            guard let id = try? Ambassador.ID(validating: parts[1]) else { return nil }
            self = .ambassador(id)
        case "expert":
            guard let id = try? Expert.ID(validating: parts[1]) else { return nil }
            self = .expert(id)
        default: return nil
        }
    }
}
