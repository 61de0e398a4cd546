import ClubProtocol
import Postgres

/// What the directory takes away of somebody, table after table. A feature that keeps something about people adds its step
/// here; one that is forgotten makes the erasure fail where a foreign key leads to the person.
enum ErasureSteps {
    /// In this order. A statement gives a row for each thing that followers and the audit trail must hear of, with the columns
    /// `entity`, `id`, `action` (`changed`, `deleted`, `erased`) and `version`; `erased` also takes away the keys of its
    /// commitments.
    static func statements(for subject: DataSubject) -> [SQL] {
        switch subject.entity {
        case .person: person(subject.id)
        case .expert: expert(subject.id)
        }
    }

    private static func person(_ id: DataSubject.ID) -> [SQL] {
        [
            "delete from consent_entry where person = \(id)",
            // That the organization was represented in these days stays true.
            """
            update mandate set person = null, version = version + 1, updated_at = now() where person = \(id)
            returning 'mandate' as entity, id, 'changed' as action, version
            """,
            """
            delete from ambassador where person = \(id)
            returning 'ambassador' as entity, id, 'erased' as action, version
            """,
            "delete from person where id = \(id) returning 'person' as entity, id, 'erased' as action, version",
        ]
    }

    private static func expert(_ id: DataSubject.ID) -> [SQL] {
        [
            "delete from consent_entry where expert = \(id)",
            "delete from expert where id = \(id) returning 'expert' as entity, id, 'erased' as action, version",
        ]
    }
}
