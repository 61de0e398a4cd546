import ClubProtocol
import Postgres
import ServiceKit

/// The days of an enrolment, the same for ambassadors and experts.
enum EnrolmentStore {
    /// Confirms that the record is right: it is fresh from now on.
    ///
    /// - Returns: its version.
    /// - Throws: 404 for someone else's, 409 if they have left.
    static func confirm(
        _ enrollee: Enrollee, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Int {
        guard try await state(of: enrollee, by: principal, in: transaction) == .enrolled else {
            throw Problem(.transitionNotAllowed, "Those who have left must come back before they confirm.")
        }
        return try await update(enrollee, "confirmed_at = now()", in: transaction)
    }

    /// Leaves, or returns: then the record counts as confirmed.
    ///
    /// - Returns: its version.
    /// - Throws: 404 for someone else's, 409 if they are already in that state.
    static func transition(
        _ enrollee: Enrollee, to next: Enrolment.State, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Int {
        let state = try await state(of: enrollee, by: principal, in: transaction)
        guard state.allows(next) else {
            throw Problem(.transitionNotAllowed, "The \(enrollee.entity.rawValue) is \(state.rawValue) already.")
        }
        return switch next {
        case .left: try await update(enrollee, "left_on = directory.today()", in: transaction)
        case .enrolled:
            try await update(
                enrollee, "enrolled_on = directory.today(), left_on = null, confirmed_at = now()", in: transaction)
        }
    }

    /// In the form of the facts; locked until the transaction ends.
    private static func state(
        of enrollee: Enrollee, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Enrolment.State {
        let row = try await transaction.first(
            """
            select left_on is null as enrolled from \(enrollee.table)
            where id = \(enrollee.id) and \(enrollee.mayBeChanged(by: principal)) for no key update
            """)
        guard let row else { throw Problem(.notFound) }
        return try row["enrolled", as: Bool.self] ? .enrolled : .left
    }

    private static func update(
        _ enrollee: Enrollee, _ assignments: SQL, in transaction: PostgresTransaction
    ) async throws -> Int {
        let row = try await transaction.first(
            """
            update \(enrollee.table) set \(assignments), version = version + 1, updated_at = now()
            where id = \(enrollee.id) returning version
            """)
        guard let row else { throw Problem(.notFound) }
        return try row["version"]
    }
}

extension Enrollee {
    /// What a caller may change: the staff everyone, an ambassador or an expert only themselves.
    fileprivate func mayBeChanged(by principal: Principal) -> SQL {
        switch (self, principal.role) {
        case (_, .operator): "true"
        case (.ambassador, .ambassador): "person = \(principal.person)"
        case (.expert, .expert): "id = \(principal.organization)"
        default: "false"
        }
    }
}
