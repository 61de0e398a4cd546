import ClubProtocol
import Postgres
import ServiceKit

/// An ambassador or an expert: they enrol, confirm and leave.
enum Enrollee: Hashable, Sendable {
    case ambassador(Ambassador.ID)
    case expert(Expert.ID)

    /// Its raw value is also the name of the table, and of a column of the tables that point to either.
    var entity: EntityName {
        switch self {
        case .ambassador: .ambassador
        case .expert: .expert
        }
    }

    var table: SQL {
        switch self {
        case .ambassador: "ambassador"
        case .expert: "expert"
        }
    }

    fileprivate var isIt: SQL {
        switch self {
        case .ambassador(let id): "id = \(id)"
        case .expert(let id): "id = \(id)"
        }
    }

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

/// The days of an enrolment, the same for ambassadors and experts.
enum EnrolmentStore {
    /// The day in Paris, like `Day.today`.
    private static let today: SQL = "(now() at time zone 'Europe/Paris')::date"

    /// Confirms that the record is right: it is fresh from now on.
    ///
    /// - Returns: its version.
    /// - Throws: 404 for someone else's, 409 if they have left.
    static func confirm(
        _ enrollee: Enrollee, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Int {
        guard try await state(of: enrollee, by: principal, in: transaction) == .enrolled else {
            throw Problem(.transitionNotAllowed, "Who has left comes back before it confirms.")
        }
        return try await update(enrollee, "confirmed_at = now()", in: transaction)
    }

    /// Leaves, or returns: then the record counts as confirmed.
    ///
    /// - Returns: its version.
    /// - Throws: 404 for someone else's, 409 if they are already in that state.
    static func move(
        _ enrollee: Enrollee, to next: Enrolment.State, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Int {
        let state = try await state(of: enrollee, by: principal, in: transaction)
        guard state.allows(next) else {
            throw Problem(.transitionNotAllowed, "The \(enrollee.entity.rawValue) is \(state.rawValue) already.")
        }
        return switch next {
        case .left: try await update(enrollee, "left_on = \(today)", in: transaction)
        case .enrolled:
            try await update(
                enrollee, "enrolled_on = \(today), left_on = null, confirmed_at = now()", in: transaction)
        }
    }

    /// In the form of the facts; locked until the transaction ends.
    private static func state(
        of enrollee: Enrollee, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Enrolment.State {
        let row = try await transaction.first(
            """
            select left_on is null as enrolled from \(enrollee.table)
            where \(enrollee.isIt) and \(enrollee.mayBeChanged(by: principal)) for no key update
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
            where \(enrollee.isIt) returning version
            """)
        guard let row else { throw Problem(.notFound) }
        return try row["version"]
    }
}

extension SQL {
    /// Whether a row of `ambassador` or `expert` has this freshness today.
    static func isFresh(_ freshness: Freshness) -> SQL {
        let (ageing, stale) = (months(Freshness.ageingMonths), months(Freshness.staleMonths))
        return switch freshness {
        case .fresh: "confirmed_at > \(ageing)"
        case .ageing: "confirmed_at <= \(ageing) and confirmed_at > \(stale)"
        case .stale: "confirmed_at <= \(stale)"
        }
    }

    /// The freshness of a row of `ambassador` or `expert` today.
    static var freshness: SQL {
        """
        case when \(isFresh(.fresh)) then \(Freshness.fresh) when \(isFresh(.ageing)) then \(Freshness.ageing)
            else \(Freshness.stale) end
        """
    }

    /// Whether the subject of a row of `ambassador` or `expert` is in the network, or has left.
    static func isEnrolled(_ enrolled: Bool) -> SQL { enrolled ? "left_on is null" : "left_on is not null" }

    /// Whether a row of `ambassador` or `expert` is shown to ambassadors and to the public, as far as its enrolment is
    /// concerned: neither left nor stale.
    static var isPresent: SQL { "left_on is null and confirmed_at > \(months(Freshness.staleMonths))" }

    private static func months(_ count: Int) -> SQL { "now() - make_interval(months => \(count)::integer)" }
}
