import ClubProtocol
import Postgres
import ServiceKit

enum PersonStore {
    private static let columns: SQL = """
        id, given_name as "givenName", family_name as "familyName", email, telephone, organization, consents, version,
        created_at as "createdAt", updated_at as "updatedAt"
        """

    /// What a caller may see: a representative the people of its organization and itself, the others themselves.
    private static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["(organization = \(principal.organization) or id = \(principal.person))"]
        case .ambassador, .expert: ["id = \(principal.person)"]
        }
    }

    static func create(
        _ id: Person.ID, _ body: CreatePerson.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        var organization = body.organization
        if principal.role == .representative {
            organization = organization ?? principal.organization
            guard let own = principal.organization, organization == own else {
                throw Problem.invalid("/organization", "there is no such organization")
            }
            try checkConsents(body.consents, of: id, by: principal)
        }
        return try await transaction.query(
            """
            insert into person (id, given_name, family_name, email, telephone, organization, consents)
            values (
                \(id), \(body.givenName), \(body.familyName), \(body.email), \(body.telephone), \(organization),
                directory.with_consents('{}', \(try JSONText(encoding: body.consents ?? ConsentChoices()))))
            returning \(columns)
            """)
    }

    static func get(
        _ id: Person.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        return try await executor.query("select \(columns) from person where \(rules.all)")
    }

    /// The filters of a list, and of its export.
    private static func filter(_ query: ListPeople.Query) -> [SQL] {
        var rules: [SQL] = []
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let email = query.email { rules.append("lower(email) = lower(\(email.text))") }
        if let purpose = query.purpose { rules.append(.agreed(to: purpose)) }
        if let words = query.q { rules.append(.nameMatches(words)) }
        if let since = query.updatedSince { rules.append(.hasChanged(since: since)) }
        return rules
    }

    /// The condition of an export: what the list would show on all its pages.
    static func selection(_ query: ListPeople.Query, for principal: Principal) -> SQL {
        (visible(to: principal) + filter(query)).all
    }

    /// The condition of one person's card.
    static func selection(_ id: Person.ID, for principal: Principal) -> SQL {
        (["id = \(id)"] + visible(to: principal)).all
    }

    static func list(
        _ query: ListPeople.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal) + filter(query)
        if let after = try page.position(of: Person.self) {
            rules.append("(sort_key, id) > (\(after.key), \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns), sort_key as "_key" from person
            where \(rules.all)
            order by sort_key, id limit \(page.limit + 1)
            """)
    }

    static func change(
        _ id: Person.ID, _ patch: ChangePerson.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        guard
            let row = try await transaction.first("select \(columns) from person where \(rules.all) for update")
        else { throw Problem(.notFound) }
        var person = try row.decode(Person.self, at: version)
        if let value = patch.givenName { person.givenName = value }
        if let value = patch.familyName { person.familyName = value }
        if let value = patch.email, value != person.email {
            try await checkAddress(of: id, by: principal, in: transaction)
            person.email = value
        }
        if let value = patch.telephone { person.telephone = value }
        if let value = patch.organization, value != person.organization {
            guard principal.role == .operator else {
                throw Problem(.forbidden, "Only the club's staff moves a person to another organization.")
            }
            person.organization = value
        }
        try checkConsents(patch.consents, of: id, by: principal)
        return try await transaction.query(
            """
            update person set
                given_name = \(person.givenName), family_name = \(person.familyName), email = \(person.email),
                telephone = \(person.telephone), organization = \(person.organization),
                consents = directory.with_consents(
                    consents, \(try JSONText(encoding: patch.consents ?? ConsentChoices()))),
                version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// Whoever has an ambassador's address is mailed the link to its record, and acts in its name: so it is not for the organization that
    /// it works for to change.
    private static func checkAddress(
        of id: Person.ID, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        guard principal.role == .representative, principal.person != id else { return }
        guard try await transaction.first("select from ambassador where person = \(id)") == nil else {
            throw Problem(.forbidden, "Only an ambassador itself and the club's staff change its address.")
        }
    }

    /// Who is in the directory is not for everybody to find out by trying addresses: only the staff is told that it is the address which
    /// somebody else has.
    static func discreetly(
        for principal: Principal, _ change: () async throws -> Rows
    ) async throws -> Rows {
        do {
            return try await change()
        } catch let error as PostgresError where error.constraint == "person_email_key" && principal.role != .operator {
            throw Problem(.conflict, "It cannot be written as it is. The club's staff settles it.")
        }
    }

    /// Consent is a person's own (GDPR, article 4, 11); the club's staff records what a person told or wrote to it.
    private static func checkConsents(_ choices: ConsentChoices?, of id: Person.ID, by principal: Principal) throws {
        guard let choices, choices != ConsentChoices(), principal.role != .operator, principal.person != id else {
            return
        }
        throw Problem(.forbidden, "Only the person itself answers for its consent.")
    }

    /// The people of these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object(
            'id', id, 'givenName', given_name, 'familyName', family_name, 'email', email, 'telephone', telephone,
            'organization', organization, 'consents', consents, 'version', version, 'createdAt', created_at,
            'updatedAt', updated_at)) as data
        from person where id = any(\(ids))
        """
    }
}
