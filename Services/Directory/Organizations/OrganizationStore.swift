import ClubProtocol
import Postgres
import ServiceKit

/// The organizations, and who may see them.
enum OrganizationStore {
    private static let columns: SQL = """
        id, kind, sub_kind as "subKind", name, siren, siret, parent, street, postal_code as "postalCode", commune,
        departement, \(SQL.region(of: "organization")) as region, \(SQL.placedAddresses) as addresses, website, email,
        nullif(mailboxes, '[]') as mailboxes, unreachable, telephone, topics, agency,
        public_directory as "publicDirectory", version, created_at as "createdAt",
        updated_at as "updatedAt"
        """

    /// What a caller may see: a representative only its own organization, an ambassador only the one it advises for.
    private static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["id = \(principal.organization)"]
        case .ambassador: ["id = (select organization from ambassador where person = \(principal.person))"]
        case .expert: ["false"]
        }
    }

    /// The same as one condition on the table alone.
    static func isVisible(to principal: Principal) -> SQL { visible(to: principal).all }

    static func create(
        _ id: Organization.ID, _ body: CreateOrganization.Body, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let siren = try body.siren ?? body.siret.map(Self.siren(of:))
        let addresses = try PlaceStore.kept(body.addresses ?? [])
        let departement = Departement(said: body.departement, postalCode: body.postalCode)
        return try await transaction.query(
            """
            insert into organization (
                id, kind, sub_kind, name, siren, siret, parent, street, postal_code, commune, departement, addresses,
                website, email, mailboxes, telephone, topics, agency, public_directory)
            values (
                \(id), \(body.kind), \(body.subKind), \(body.name), \(siren), \(body.siret), \(body.parent),
                \(body.street), \(body.postalCode), \(body.commune), \(departement),
                \(try JSONText(encoding: addresses)), \(body.website), \(body.email), \(try Self.kept(body.mailboxes)),
                \(body.telephone), \(body.topics ?? []), \(body.agency), \(body.publicDirectory ?? true))
            returning \(columns)
            """)
    }

    static func get(
        _ id: Organization.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        return try await executor.query("select \(columns) from organization where \(rules.all)")
    }

    /// The filters of a list, and of its export.
    private static func filter(_ query: ListOrganizations.Filter) -> [SQL] {
        var rules: [SQL] = []
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let subKind = query.subKind { rules.append("sub_kind = \(subKind)") }
        if let departement = query.departement { rules.append("departement = \(departement)") }
        if let region = query.region { rules.append(.isLocated(in: region)) }
        if let topic = query.topic { rules.append(.isAbout(topic)) }
        if let parent = query.parent { rules.append("parent = \(parent)") }
        if let agency = query.agency { rules.append("agency = \(agency)") }
        if let day = query.asOf {
            rules.append("id in (select organization from membership where \(.isActive(on: day)))")
        }
        if let siret = query.siret { rules.append("siret = \(siret)") }
        if let contact = query.contact { rules.append(.hasContact(contact)) }
        if let words = query.q { rules.append(.matches(words)) }
        if let unreachable = query.unreachable { rules.append(.isUnreachable(unreachable)) }
        if let since = query.updatedSince { rules.append(.hasChanged(since: since)) }
        return rules
    }

    /// The condition of an export: everything the list would show across all its pages.
    static func selection(_ query: ListOrganizations.Filter, for principal: Principal) -> SQL {
        (visible(to: principal) + filter(query)).all
    }

    static func list(
        _ query: ListOrganizations.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal) + filter(query.filter)
        if let after = try page.position(of: Organization.self) {
            rules.append("(sort_key, id) > (\(after.key), \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns), sort_key as "_key" from organization
            where \(rules.all)
            order by sort_key, id limit \(page.limit + 1)
            """)
    }

    static func change(
        _ id: Organization.ID, _ patch: ChangeOrganization.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        guard
            let row = try await transaction.first(
                "select \(columns) from organization where \(rules.all) for no key update")
        else { throw Problem(.notFound) }
        let organization = try row.decode(Organization.self, at: version)
        var changed = organization.patched(patch)
        let addresses = try PlaceStore.kept(changed.addresses)
        guard principal.role == .operator || organization.isSameMember(as: changed) else {
            throw Problem(.forbidden, "Only the club's staff may change the kind, the numbers and the parent.")
        }
        if patch.siret != nil, changed.siren == nil { changed.siren = try changed.siret.map(Self.siren(of:)) }
        return try await transaction.query(
            """
            update organization set
                kind = \(changed.kind), sub_kind = \(changed.subKind), name = \(changed.name), siren = \(changed.siren),
                siret = \(changed.siret), parent = \(changed.parent), street = \(changed.street),
                postal_code = \(changed.postalCode), commune = \(changed.commune), departement = \(changed.departement),
                addresses = \(try JSONText(encoding: addresses)), website = \(changed.website),
                email = \(changed.email), mailboxes = \(try Self.kept(changed.mailboxes)),
                telephone = \(changed.telephone), topics = \(changed.topics),
                agency = \(changed.agency), public_directory = \(changed.publicDirectory), version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// Mailboxes in their stored form: by role.
    private static func kept(_ mailboxes: [Mailbox]?) throws -> JSONText {
        try JSONText(encoding: (mailboxes ?? []).sorted { $0.role.rawValue < $1.role.rawValue })
    }

    /// The SIREN contained in a SIRET.
    private static func siren(of siret: Siret) throws(Problem) -> Siren {
        do { return try siret.siren } catch { throw .invalid("/siret", error.reason) }
    }

    /// The organizations with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(to_jsonb(found)) as data
        from (select \(columns) from organization where id = any(\(ids))) as found
        """
    }
}

extension Organization {
    /// After a merge patch. A new postal code sets its département, unless the patch gives another possible one.
    fileprivate func patched(_ patch: ChangeOrganization.Body) -> Organization {
        var result = self
        if let value = patch.kind { result.kind = value }
        if let value = patch.subKind { result.subKind = value }
        if let value = patch.name { result.name = value }
        if let value = patch.siren { result.siren = value }
        if let value = patch.siret { result.siret = value }
        if let value = patch.parent { result.parent = value }
        if let value = patch.street { result.street = value }
        if let value = patch.postalCode, value != postalCode {
            result.postalCode = value
            result.departement = value.flatMap { Departement(postalCode: $0) }
        }
        if let value = patch.commune { result.commune = value }
        if let value = patch.departement {
            result.departement = value.flatMap { Departement(said: $0, postalCode: result.postalCode) }
        }
        if let value = patch.addresses { result.addresses = value }
        if let value = patch.website { result.website = value }
        if let value = patch.email { result.email = value }
        if let value = patch.mailboxes { result.mailboxes = value }
        if let value = patch.telephone { result.telephone = value }
        if let value = patch.topics { result.topics = value }
        if let value = patch.agency { result.agency = value }
        if let value = patch.publicDirectory { result.publicDirectory = value }
        return result
    }

    /// Whether nothing that determines its membership has changed.
    fileprivate func isSameMember(as other: Organization) -> Bool {
        kind == other.kind && subKind == other.subKind && siren == other.siren && siret == other.siret
            && parent == other.parent
    }
}
