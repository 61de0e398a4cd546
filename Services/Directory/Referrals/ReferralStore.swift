import ClubProtocol
import Postgres
import ServiceKit

/// The needs of firms.
enum ReferralStore {
    static let state: SQL = """
        case when closed_at is not null then 'closed' when taken = places then 'placed' else 'open' end
        """

    /// The firm's details, as in the protocol; NULL if nothing is known.
    static let firm: SQL = """
        case when coalesce(firm_name, firm_contact, firm_email, firm_telephone) is not null then
            json_strip_nulls(json_build_object(
                'name', firm_name, 'contact', firm_contact, 'email', firm_email, 'telephone', firm_telephone)) end
        """

    private static let columns: SQL = """
        id, ambassador, topics, postal_code as "postalCode", departement, description, \(firm) as firm, places, taken,
        asked, \(state) as state, version, created_at as "createdAt", updated_at as "updatedAt"
        """

    /// What a caller may see: an ambassador only its own.
    static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .ambassador:
            ["referral.ambassador in (select ambassador.id from ambassador where person = \(principal.person))"]
        case .representative, .expert: ["false"]
        }
    }

    /// The calling ambassador, who is kept from leaving before the end of the transaction; nil for a person who is not
    /// enrolled.
    static func ambassador(
        _ principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Ambassador.ID? {
        try await transaction.first(
            "select id from ambassador where person = \(principal.person) and left_on is null for share")?["id"]
    }

    /// Whether an ambassador has left; otherwise it is kept from leaving before the end of the transaction.
    static func hasLeft(_ ambassador: Ambassador.ID, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.first(
            "select left_on is not null as gone from ambassador where id = \(ambassador) for share")?["gone"] ?? false
    }

    static func create(
        _ id: Referral.ID, _ body: CreateReferral.Body, by ambassador: Ambassador.ID?,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        let departement = try PlaceStore.departement(said: body.departement, body.postalCode)
        return try await transaction.query(
            """
            insert into referral (
                id, ambassador, topics, postal_code, departement, description, firm_name, firm_contact, firm_email,
                firm_telephone, places)
            values (
                \(id), \(ambassador), \(body.topics), \(body.postalCode), \(departement), \(body.description),
                \(body.firm?.name), \(body.firm?.contact), \(body.firm?.email), \(body.firm?.telephone),
                \(body.places ?? 1))
            returning \(columns)
            """)
    }

    static func get(
        _ id: Referral.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        return try await executor.query("select \(columns) from referral where \(rules.all)")
    }

    /// The condition of a state; each has an index.
    private static func isIn(_ state: Referral.State) -> SQL {
        switch state {
        case .closed: "closed_at is not null"
        case .placed: "closed_at is null and taken = places"
        case .open: "closed_at is null and taken < places"
        }
    }

    static func list(
        _ query: ListReferrals.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal)
        if let ambassador = query.ambassador { rules.append("ambassador = \(ambassador)") }
        if let state = query.state { rules.append(Self.isIn(state)) }
        if let departement = query.departement { rules.append("departement = \(departement)") }
        if let region = query.region { rules.append(.isLocated(in: region)) }
        if let topic = query.topic { rules.append(.isAbout(topic)) }
        if let after = try page.position(of: Referral.self) { rules.append("id < \(after.id)") }
        return try await executor.query(
            """
            select \(columns) from referral
            where \(rules.all)
            order by id desc limit \(page.limit + 1)
            """)
    }

    /// Locks a referral until the end of the transaction: sending, answering and closing wait here, before touching an
    /// offer.
    ///
    /// - Throws: 404 if the caller may not see it.
    static func lock(
        _ id: Referral.ID, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Referral {
        let rules = ["id = \(id)"] + visible(to: principal)
        guard let row = try await transaction.first("select \(columns) from referral where \(rules.all) for update")
        else { throw Problem(.notFound) }
        return try row.decode(Referral.self)
    }

    static func close(_ id: Referral.ID, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            update referral set
                version = version + (closed_at is null)::integer,
                updated_at = case when closed_at is null then now() else updated_at end,
                closed_at = coalesce(closed_at, now())
            where id = \(id)
            returning \(columns)
            """)
    }
}
