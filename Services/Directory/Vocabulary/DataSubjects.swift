import ClubProtocol
import Postgres
import ServiceKit

extension DataSubject.Entity {
    /// The table of a subject, and the column of the ledger of consents that refers to it: they have the same name.
    var table: SQL { kind.table }

    var kind: RecordKind {
        switch self {
        case .person: .person
        case .expert: .expert
        }
    }
}

extension DataSubject {
    var table: SQL { entity.table }

    /// Whose data and ledger of consents a caller may see: only its own. Must follow a condition on `id`.
    func isVisible(to principal: Principal) -> SQL {
        switch (principal.role, entity) {
        case (.operator, _), (.auditor, _): "true"
        case (.expert, .expert): "id = \(principal.organization)"
        case (_, .person): "id = \(principal.person)"
        case (_, .expert): "false"
        }
    }
}
