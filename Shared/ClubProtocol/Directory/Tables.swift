import HTTPTypes

// The lists as tables and as cards: the same filters, and the same rules of who sees what. A table is written as RFC 4180
// has it, and safe to open in a spreadsheet: an apostrophe goes before each `=`, `+`, `-`, `@` or control sign that begins a cell,
// or what would be one by another separator, and an import takes it away again.

/// Writes experts as a table that an import takes as it is.
package enum ExportExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/experts.csv", "Writes the experts as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert), produces: .csv)

    package struct Query: Codable, Sendable {
        package var subKind: Expert.SubKind?
        /// Where the expert is.
        package var departement: Departement?
        package var region: Region?
        /// A département served.
        package var serves: Departement?
        package var topic: Topic?
        /// A brand by its name; case and accents do not matter.
        package var brand: Line?
        package var siret: Siret?
        package var email: EmailAddress?
        /// Part of the address or the telephone.
        package var contact: ContactPart?
        /// Words of the name or the commune; accents, endings and typing errors are forgiven.
        package var q: Line?
        package var freshness: Freshness?
        package var enrolled: Bool?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListExperts.Query {
            .init(
                subKind: subKind, departement: departement, region: region, serves: serves, topic: topic, brand: brand,
                siret: siret, email: email, contact: contact, q: q, freshness: freshness, enrolled: enrolled,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Writes organizations as a table.
package enum ExportOrganizations: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations.csv", "Writes the organizations as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador), produces: .csv)

    package struct Query: Codable, Sendable {
        package var kind: Organization.Kind?
        package var subKind: Organization.SubKind?
        /// Where it has its seat.
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?
        package var parent: Organization.ID?
        /// Brands of a communication agency.
        package var agency: Organization.ID?
        /// Those who are members on this day.
        package var asOf: Day?
        package var siret: Siret?
        /// Part of one of its addresses or telephones.
        package var contact: ContactPart?
        /// Words of the name or the commune; accents, endings and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListOrganizations.Query {
            .init(
                kind: kind, subKind: subKind, departement: departement, region: region, topic: topic, parent: parent,
                agency: agency, asOf: asOf, siret: siret, contact: contact, q: q, updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Writes people as a table.
package enum ExportPeople: Endpoint {
    package static let operation = Operation(
        .get, "/v1/people.csv", "Writes the people as a table.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative, .ambassador, .expert),
        produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var email: EmailAddress?
        /// Part of one of the addresses or telephones.
        package var contact: ContactPart?
        /// People who agreed to this.
        package var purpose: Purpose?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListPeople.Query {
            .init(
                organization: organization, email: email, contact: contact, purpose: purpose, q: q,
                updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}

/// Writes ambassadors as a table.
package enum ExportAmbassadors: Endpoint {
    package static let operation = Operation(
        .get, "/v1/ambassadors.csv", "Writes the ambassadors as a table.",
        access: .roles(.operator, .editor, .auditor, .service, .representative, .ambassador), produces: .csv)

    package struct Query: Codable, Sendable {
        package var organization: Organization.ID?
        package var person: Person.ID?
        /// A département served.
        package var departement: Departement?
        /// A région served, in one département at least.
        package var region: Region?
        package var topic: Topic?
        /// Words of the name; accents and typing errors are forgiven.
        package var q: Line?
        package var freshness: Freshness?
        package var enrolled: Bool?
        package var updatedSince: Timestamp?
        /// Semicolons and a byte order mark, as a French Excel reads a table by a double click.
        package var excel: Bool?

        package init(excel: Bool? = nil) {
            self.excel = excel
        }

        /// The filters, as the list has them.
        package var filter: ListAmbassadors.Query {
            .init(
                organization: organization, person: person, departement: departement, region: region, topic: topic,
                q: q,
                freshness: freshness, enrolled: enrolled, updatedSince: updatedSince)
        }
    }

    package typealias Response = TextDocument
}
