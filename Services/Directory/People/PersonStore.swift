import ClubProtocol
import Postgres
import ServiceKit

/// The people, and who may see and change them.
enum PersonStore {
    private static let columns: SQL = """
        id, honorific_prefix as "honorificPrefix", given_name as "givenName", family_name as "familyName", email,
        nullif(other_emails, '{}') as "otherEmails", unreachable, telephone, nullif(other_telephones, '{}') as "otherTelephones",
        organization, job_title as "jobTitle", consents, version, created_at as "createdAt", updated_at as "updatedAt"
        """

    /// What a caller may see: a representative the people of its organization and itself, everyone else only
    /// themselves.
    private static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["(organization = \(principal.organization) or id = \(principal.person))"]
        case .ambassador, .expert: ["id = \(principal.person)"]
        }
    }

    /// The same as one condition on the table alone.
    static func isVisible(to principal: Principal) -> SQL { visible(to: principal).all }

    static func create(
        _ id: Person.ID, _ body: CreatePerson.Body, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        var organization = body.organization
        if principal.role == .representative {
            organization = organization ?? principal.organization
            guard let own = principal.organization, organization == own else {
                throw Problem.invalid("/organization", "unknown organization")
            }
            try checkConsents(body.consents, of: id, by: principal)
        }
        try await NameStore.setGiver(by: principal, in: transaction)
        return try await transaction.query(
            """
            insert into person (
                id, honorific_prefix, given_name, family_name, email, other_emails, telephone, other_telephones,
                organization, job_title, consents)
            values (
                \(id), \(body.honorificPrefix), \(body.givenName ?? nil), \(body.familyName), \(body.email),
                \(body.otherEmails ?? []), \(body.telephone), \(body.otherTelephones ?? []), \(organization),
                \(body.jobTitle),
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
    private static func filter(_ query: ListPeople.Filter) -> [SQL] {
        var rules: [SQL] = []
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let email = query.email {
            rules.append("id in (\(AddressStore.holders(.person, of: email)))")
        }
        if let contact = query.contact { rules.append(.hasContact(contact)) }
        if let purpose = query.purpose { rules.append(.agreed(to: purpose)) }
        if let words = query.q { rules.append(.nameMatches(words)) }
        if let unreachable = query.unreachable { rules.append(.isUnreachable(unreachable)) }
        if let since = query.updatedSince { rules.append(.hasChanged(since: since)) }
        return rules
    }

    /// The condition of an export: everything the list would show across all its pages.
    static func selection(_ query: ListPeople.Filter, for principal: Principal) -> SQL {
        (visible(to: principal) + filter(query)).all
    }

    /// The condition of one person's card.
    static func selection(_ id: Person.ID, for principal: Principal) -> SQL {
        (["id = \(id)"] + visible(to: principal)).all
    }

    static func list(
        _ query: ListPeople.Query, _ page: PageRequest, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal) + filter(query.filter)
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
        let (email, others) = (person.email, person.otherEmails)
        person.apply(patch)
        try await NameStore.setGiver(by: principal, in: transaction)
        if email != person.email || others != person.otherEmails {
            try await checkAddress(of: id, by: principal, in: transaction)
        }
        if let value = patch.organization, value != person.organization {
            guard principal.role == .operator else {
                throw Problem(.forbidden, "Only the club's staff may move a person to another organization.")
            }
            person.organization = value
        }
        try checkConsents(patch.consents, of: id, by: principal)
        return try await transaction.query(
            """
            update person set
                honorific_prefix = \(person.honorificPrefix), given_name = \(person.givenName),
                family_name = \(person.familyName), email = \(person.email),
                other_emails = \(person.otherEmails ?? []), telephone = \(person.telephone),
                other_telephones = \(person.otherTelephones ?? []), organization = \(person.organization),
                job_title = \(person.jobTitle),
                consents = directory.with_consents(
                    consents, \(try JSONText(encoding: patch.consents ?? ConsentChoices()))),
                version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// The holder of an ambassador's address is mailed the link to its record, and acts in its name: so the
    /// organization that it works for may not change it.
    private static func checkAddress(
        of id: Person.ID, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        guard principal.role == .representative, principal.person != id else { return }
        guard try await transaction.first("select from ambassador where person = \(id)") == nil else {
            throw Problem(.forbidden, "Only the ambassador and the club's staff may change this address.")
        }
    }

    /// Constraints that are violated if someone else has an address.
    private static let addressKeys: Set<String?> = ["person_email_key", "person_other_emails_key"]

    /// No one may find out who is in the directory by trying addresses: only the staff is told that someone else has
    /// the address.
    static func discreetly(
        for principal: Principal, _ change: () async throws -> Rows
    ) async throws -> Rows {
        do {
            return try await change()
        } catch let error as PostgresError
            where Self.addressKeys.contains(error.constraint) && principal.role != .operator
        {
            throw Problem(.conflict, "It cannot be changed like this. Ask the club's staff.")
        }
    }

    /// Consent must be given by the person (GDPR, article 4, 11); the club's staff records what a person told it or
    /// wrote to it.
    private static func checkConsents(_ choices: ConsentChoices?, of id: Person.ID, by principal: Principal) throws {
        guard let choices, choices != ConsentChoices(), principal.role != .operator, principal.person != id else {
            return
        }
        throw Problem(.forbidden, "Only the person may give or refuse consent.")
    }

    /// The people with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(to_jsonb(found)) as data
        from (select \(columns) from person where id = any(\(ids))) as found
        """
    }
}

extension Person {
    /// Applies a patch's values for the person itself; its organization and consents are handled elsewhere.
    fileprivate mutating func apply(_ patch: ChangePerson.Body) {
        if let value = patch.honorificPrefix { honorificPrefix = value }
        if let value = patch.givenName { givenName = value }
        if let value = patch.familyName { familyName = value }
        if let value = patch.jobTitle { jobTitle = value }
        (email, otherEmails) = Self.first(patch.email, further: patch.otherEmails, of: (email, otherEmails)) {
            $0.text.asciiLowercased
        }
        (telephone, otherTelephones) = Self.first(
            patch.telephone, further: patch.otherTelephones, of: (telephone, otherTelephones), by: \.text)
    }

    /// The first value and the additional ones after a patch. An additional one that becomes the first trades places
    /// with it, unless the patch gives all of them.
    ///
    /// - Parameter key: equal for two spellings of one value.
    private static func first<Value>(
        _ first: Patched<Value>, further: Patched<[Value]>, of known: (first: Value?, further: [Value]?),
        by key: (Value) -> String
    ) -> (Value?, [Value]?) {
        var (now, others) = (known.first, known.further ?? [])
        if let first {
            if let first, let place = others.firstIndex(where: { key($0) == key(first) }) {
                others.remove(at: place)
                if let old = now { others.insert(old, at: place) }
            }
            now = first
        }
        if let further { others = further ?? [] }
        if let value = now ?? others.first {
            now = value
            others = others.filter { key($0) != key(value) }
        }
        return (now, others.isEmpty ? nil : others)
    }
}
