import ClubProtocol
import Postgres
import ServiceKit

/// Requests by identifier and by list are the busiest statements of the club: one table, one index, no join, and the
/// response as the database stores it.
enum ExpertStore {
    private static let columns: SQL = #"document as "_document", version"#

    /// What a caller may see: an ambassador the enrolled experts who agreed to the public directory, an expert itself.
    /// Must follow another condition.
    private static func visible(to principal: Principal) -> SQL {
        rules(for: principal).reduce(into: SQL.empty) { $0 += " and \($1.condition)" }
    }

    /// Whether a caller only sees the public directory.
    static func seesOnlyPublished(_ principal: Principal) -> Bool { principal.role == .ambassador }

    /// What a caller may see, as conditions.
    static func rules(for principal: Principal) -> [ExpertRule] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .ambassador: [.published]
        case .expert: [.init("id = \(principal.organization)")]
        case .representative: [.init("false")]
        }
    }

    /// The same as one condition on the table alone.
    static func isVisible(to principal: Principal) -> SQL { rules(for: principal).map(\.condition).all }

    static func create(
        _ id: Expert.ID, _ body: CreateExpert.Body, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let departement = try PlaceStore.departement(said: body.departement, body.postalCode)
        try await NameStore.setGiver(.staff, in: transaction)
        return try await transaction.query(
            """
            insert into expert (
                id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement,
                departements, topics, brands, website, consents)
            values (
                \(id), \(body.subKind), \(body.name), \(body.siret), \(body.contactName), \(body.email),
                \(body.telephone), \(body.postalCode), \(body.commune), \(departement),
                \(body.departements ?? [departement]), \(body.topics ?? []), \(body.brands ?? []), \(body.website),
                directory.with_consents('{}', \(try JSONText(encoding: body.consents ?? ConsentChoices()))))
            returning \(columns)
            """)
    }

    static func get(
        _ id: Expert.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        try await executor.query("select \(columns) from expert where id = \(id)\(visible(to: principal))")
    }

    /// The filters of a list, and of its export; except words, which must be read first.
    private static func filter(_ query: ListExperts.Filter) -> [ExpertRule] {
        var rules = query.first.rules
        if let siret = query.siret { rules.append(.init("siret = \(siret)")) }
        if let email = query.email { rules.append(.init("lower(email) = lower(\(email.text))")) }
        if let contact = query.contact { rules.append(.init(.hasContact(contact))) }
        if let unreachable = query.unreachable { rules.append(.init(.isUnreachable(unreachable))) }
        return rules
    }

    /// The condition of the list across all its pages, and of its export.
    ///
    /// - Parameter transaction: prepared by ``ExpertWalk``.
    static func selection(
        _ query: ListExperts.Filter, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> [ExpertRule] {
        var rules = filter(query) + rules(for: principal)
        if let words = query.q {
            let readings = try await ExpertWordStore.read(
                words, published: seesOnlyPublished(principal), in: transaction)
            rules.append(.has(readings))
        }
        return rules
    }

    /// Filters that one index answers in the order of the list are one statement; others are executed like a search.
    static func list(
        _ query: ListExperts.Query, _ page: PageRequest, for principal: Principal, on database: PostgresClient
    ) async throws -> Rows {
        guard query.filter.isNarrow else { return try await walk(query.filter, page, for: principal, on: database) }
        return try await database.query(try statement(query.filter, page, for: principal))
    }

    // Not inlined, as what they need of memory would be allocated for each request (decision 47).

    @inline(never)
    private static func statement(
        _ filter: ListExperts.Filter, _ page: PageRequest, for principal: Principal
    ) throws -> SQL {
        var rules = self.filter(filter).map(\.condition)
        if let position = try page.position(of: Expert.self) {
            rules.append("(sort_key, id) > (\(position.key), \(position.id))")
        }
        return """
            select \(columns), sort_key as "_key", id as "_id" from expert
            where \(rules.all)\(visible(to: principal))
            order by sort_key, id limit \(page.limit + 1)
            """
    }

    @inline(never)
    private static func walk(
        _ filter: ListExperts.Filter, _ page: PageRequest, for principal: Principal, on database: PostgresClient
    ) async throws -> Rows {
        let position = try page.position(of: Expert.self)
        return try await database.transaction(readOnly: true) { transaction in
            try await ExpertWalk.prepare(transaction)
            let walk = ExpertWalk(
                columns: columns, rules: try await selection(filter, for: principal, in: transaction), order: .name)
            return try await walk.page(
                after: position.map { .init(stage: 0, key: $0.key, id: $0.id) }, limit: page.limit + 1,
                in: transaction)
        }
    }

    static func change(
        _ id: Expert.ID, _ patch: ChangeExpert.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard
            let row = try await transaction.first(
                "select \(columns) from expert where id = \(id)\(visible(to: principal)) for no key update")
        else { throw Problem(.notFound) }
        let expert = try row.decode(Expert.self, at: version)
        let changed = try expert.patched(patch)
        guard principal.role == .operator || (expert.subKind == changed.subKind && expert.siret == changed.siret) else {
            throw Problem(.forbidden, "Only the club's staff may change the kind and the SIRET.")
        }
        try await NameStore.setGiver(by: principal, in: transaction)
        return try await transaction.query(
            """
            update expert set
                sub_kind = \(changed.subKind), name = \(changed.name), siret = \(changed.siret),
                contact_name = \(changed.contactName), email = \(changed.email), telephone = \(changed.telephone),
                postal_code = \(changed.postalCode), commune = \(changed.commune), departement = \(changed.departement),
                departements = \(changed.departements), topics = \(changed.topics), brands = \(changed.brands),
                website = \(changed.website),
                consents = directory.with_consents(
                    consents, \(try JSONText(encoding: patch.consents ?? ConsentChoices()))),
                version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// The experts with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        "select id, document as data from expert where id = any(\(ids))"
    }
}

extension ListExperts.Filter {
    /// Whether the indexes by name cover all filters, or one of them selects a few rows directly.
    fileprivate var isNarrow: Bool {
        guard first.q == nil else { return false }
        guard second.siret == nil && second.email == nil && second.contact == nil else { return true }
        return first.region == nil && first.serves == nil && first.topic == nil && first.brand == nil
            && first.freshness == nil && first.enrolled == nil && first.updatedSince == nil
    }
}

extension Expert {
    /// After a merge patch. A new postal code sets its département, unless the patch gives another possible one.
    fileprivate func patched(_ patch: ChangeExpert.Body) throws -> Expert {
        var result = self
        if let value = patch.subKind { result.subKind = value }
        if let value = patch.name { result.name = value }
        if let value = patch.siret { result.siret = value }
        if let value = patch.contactName { result.contactName = value }
        if let value = patch.email { result.email = value }
        if let value = patch.telephone { result.telephone = value }
        if let value = patch.postalCode { result.postalCode = value }
        if let value = patch.commune { result.commune = value }
        if result.postalCode != postalCode || patch.departement != nil {
            let said = patch.departement ?? (result.postalCode == nil ? departement : nil)
            result.departement = try PlaceStore.departement(said: said, result.postalCode)
        }
        if let value = patch.departements { result.departements = value }
        if let value = patch.topics { result.topics = value }
        if let value = patch.brands { result.brands = value }
        if let value = patch.website { result.website = value }
        return result
    }
}
