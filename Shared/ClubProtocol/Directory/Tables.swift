import HTTPTypes

// The lists as tables and cards, with the same filters and visibility rules. Tables follow RFC 4180 and are safe to
// open in a spreadsheet: an apostrophe is put before each `=`, `+`, `-`, `@` or control character at the beginning of
// a cell, or of what another separator would make a cell. An import removes it.

/// Exports experts as a table that can be imported unchanged.
package enum ExportExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts.csv", "Writes the experts as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert), produces: .csv)

    package struct Query: Codable, Sendable {
        package var subKind: Expert.SubKind?
        /// Where the expert is located.
        package var departement: Departement?
        package var region: Region?
        /// A département that the expert serves.
        package var serves: Departement?
        package var topic: Topic?
        /// A brand by name, ignoring case and accents.
        package var brand: Line?
        package var siret: Siret?
        package var email: EmailAddress?
        /// Part of the e-mail address or telephone number.
        package var contact: ContactPart?
        /// Words of the name or the commune; accents, endings and typing errors are tolerated.
        package var q: Line?
        package var freshness: Freshness?
        package var enrolled: Bool?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, so that French Excel opens the file correctly on double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListExperts.Query {
            .init(
                subKind: subKind, departement: departement, region: region, serves: serves, topic: topic, brand: brand,
                siret: siret, email: email, contact: contact, q: q, freshness: freshness, enrolled: enrolled,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Exports organizations as a table.
package enum ExportOrganizations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations.csv", "Writes the organizations as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador), produces: .csv)

    package struct Query: Codable, Sendable {
        package var kind: Organization.Kind?
        package var subKind: Organization.SubKind?
        /// The département of its seat.
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?
        package var parent: Organization.ID?
        /// Brands managed by this communication agency.
        package var agency: Organization.ID?
        /// Organizations that are members on this day.
        package var asOf: Day?
        package var siret: Siret?
        /// Part of an e-mail address or telephone number.
        package var contact: ContactPart?
        /// Words of the name or the commune; accents, endings and typing errors are tolerated.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, so that French Excel opens the file correctly on double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListOrganizations.Query {
            .init(
                kind: kind, subKind: subKind, departement: departement, region: region, topic: topic, parent: parent,
                agency: agency, asOf: asOf, siret: siret, contact: contact, q: q, updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Exports people as a table.
package enum ExportPeople: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.csv", "Writes the people as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// Part of an e-mail address or telephone number.
        package var contact: ContactPart?
        /// People who consented to this purpose.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are tolerated.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, so that French Excel opens the file correctly on double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListPeople.Query {
            .init(
                organization: organization, email: email, contact: contact, purpose: purpose, q: q,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Exports ambassadors as a table.
package enum ExportAmbassadors: Endpoint {
    package static let operation = Operation(
        .get, "/v1/ambassadors.csv", "Writes the ambassadors as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative, .ambassador), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var person: Person.ID?
        /// A département that they serve.
        package var departement: Departement?
        /// A région of which they serve at least one département.
        package var region: Region?
        package var topic: Topic?
        /// Words of the name; accents and typing errors are tolerated.
        package var q: Line?
        package var freshness: Freshness?
        package var enrolled: Bool?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, so that French Excel opens the file correctly on double-click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The same filters as a query of the list.
        package var filter: ListAmbassadors.Query {
            .init(
                organization: organization, person: person, departement: departement, region: region, topic: topic,
                q: q,
                freshness: freshness, enrolled: enrolled, updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}
