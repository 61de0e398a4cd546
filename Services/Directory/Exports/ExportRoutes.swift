import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/experts.csv`, `/v1/organizations.csv`, `/v1/people.csv`, `/v1/ambassadors.csv`, `/v1/people.vcf`,
/// `/v1/people/{person}/vcard`
struct ExportRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.export(ExportExperts.self, headers: .attachment("experts.csv"), exportExperts)
        builder.routes.export(ExportOrganizations.self, headers: .attachment("organizations.csv"), exportOrganizations)
        builder.routes.export(ExportPeople.self, headers: .attachment("people.csv"), exportPeople)
        builder.routes.export(ExportAmbassadors.self, headers: .attachment("ambassadors.csv"), exportAmbassadors)
        builder.routes.export(ExportCards.self, headers: .attachment("people.vcf"), exportCards)
        builder.routes.read(GetCard.self, getCard)
    }

    @Sendable func exportExperts(_ call: Call<ExportExperts>, _ output: TextWriter) async throws {
        let condition = try await backend.database.transaction(readOnly: true) { transaction in
            try await ExpertWalk.prepare(transaction)
            return try await ExpertStore.selection(call.query.filter, for: call.principal, in: transaction)
                .map(\.condition).all
        }
        try await call.query.format.write(
            RecordTables.experts, where: condition, from: backend.database, to: output)
    }

    @Sendable func exportOrganizations(_ call: Call<ExportOrganizations>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            RecordTables.organizations, where: OrganizationStore.selection(call.query.filter, for: call.principal),
            from: backend.database, to: output)
    }

    @Sendable func exportPeople(_ call: Call<ExportPeople>, _ output: TextWriter) async throws {
        try await call.query.format.write(
            RecordTables.people, where: PersonStore.selection(call.query.filter, for: call.principal),
            from: backend.database,
            to: output)
    }

    @Sendable func exportAmbassadors(_ call: Call<ExportAmbassadors>, _ output: TextWriter) async throws {
        let isShown = PersonStore.isVisible(to: call.principal)
        try await call.query.format.write(
            RecordTables.ambassadors(isShown: isShown),
            where: AmbassadorStore.selection(call.query.filter, for: call.principal), from: backend.database, to: output
        )
    }

    @Sendable func exportCards(_ call: Call<ExportCards>, _ output: TextWriter) async throws {
        let condition = PersonStore.selection(call.query.filter, for: call.principal)
        let version = call.query.version ?? .v4
        try await backend.database.forEachPage { last, limit in
            try Self.cards(where: condition, after: last, limit: limit)
        } _: { rows in
            let cards = try rows.decode(Card.self)
            try await output.write { bytes in
                for card in cards { bytes.append(contentsOf: card.text(version).utf8) }
            }
        }
    }

    @Sendable func getCard(_ call: Call<GetCard>) async throws -> RouteResponse<TextDocument> {
        let query = try Self.cards(where: PersonStore.selection(call.path, for: call.principal))
        guard let row = try await backend.database.first(query) else { throw Problem(.notFound) }
        let card = try row.decode(Card.self)
        return .text(card.text(call.query.version ?? .v4), headers: .attachment("person.vcf"))
    }

    /// A page of cards, by name.
    ///
    /// - Parameter last: the last row of the page before.
    private static func cards(where condition: SQL, after last: Row? = nil, limit: Int = 1) throws -> SQL {
        var rules = [condition]
        if let last {
            let (key, id): (String, Person.ID) = (try last["_key"], try last["id"])
            rules.append("(sort_key, id) > (\(key), \(id))")
        }
        let page: SQL = """
            select id, honorific_prefix as "honorificPrefix", given_name as "givenName", family_name as "familyName",
                email, nullif(other_emails, '{}') as "otherEmails", telephone,
                nullif(other_telephones, '{}') as "otherTelephones", job_title as "jobTitle",
                (select name from organization where organization.id = person.organization) as organization,
                updated_at as "updatedAt", sort_key as "_key"
            from person where \(rules.all) order by sort_key, id limit \(limit)
            """
        return page.plannedByValue
    }
}
