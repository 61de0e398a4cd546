import HTTPTypes

/// Who represents an organization, and from when until when. On any day there is at most one titular representative,
/// and any number of alternates.
package struct Mandate: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Mandate>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        case titular, alternate
    }

    package var id: ID
    /// Absent once the person has been erased: the mandate stays on record without its holder.
    package var person: Person.ID?
    package var organization: Organization.ID
    package var kind: Kind
    /// The first day.
    package var from: Day
    /// The last day; absent while no end is known.
    package var until: Day?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Gives a person a mandate for an organization.
package enum CreateMandate: Endpoint {
    package static let operation = Operation(
        .post, "/v1/organizations/{organization}/mandates", "Gives a person a mandate for an organization.",
        success: .created, access: .roles(.operator), problems: [.notFound, .mandateOverlaps])

    package typealias Path = Organization.ID

    package struct Body: Codable, Sendable {
        package var person: Person.ID
        package var kind: Mandate.Kind
        package var from: Day
        package var until: Day?

        package init(person: Person.ID, kind: Mandate.Kind, from: Day, until: Day? = nil) {
            self.person = person
            self.kind = kind
            self.from = from
            self.until = until
        }
    }

    package typealias Response = Mandate
}

/// Lists the mandates of an organization, latest first.
package enum ListMandates: Endpoint {
    package static let operation = Operation(
        .get, "/v1/organizations/{organization}/mandates", "Lists the mandates of an organization, latest first.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative), problems: [.notFound])

    package typealias Path = Organization.ID

    package struct Filter: OptionalParameters {
        package var kind: Mandate.Kind?
        package var person: Person.ID?
        /// Mandates in force on this day.
        package var asOf: Day?

        package init() {}

        package init(kind: Mandate.Kind? = nil, person: Person.ID? = nil, asOf: Day? = nil) {
            self.kind = kind
            self.person = person
            self.asOf = asOf
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Mandate>
}

/// Lists the mandates of all organizations, latest first: who represented which organization on a day.
package enum ListAllMandates: Endpoint {
    package static let operation = Operation(
        .get, "/v1/mandates", "Lists the mandates of all organizations, latest first.",
        access: .roles(.operator, .editor, .lobbyist, .auditor, .service, .representative))

    package struct Filter: OptionalParameters {
        package var organization: Organization.ID?
        package var person: Person.ID?
        package var kind: Mandate.Kind?
        /// Mandates in force on this day.
        package var asOf: Day?

        package init() {}

        package init(
            organization: Organization.ID? = nil, person: Person.ID? = nil, kind: Mandate.Kind? = nil,
            asOf: Day? = nil
        ) {
            self.organization = organization
            self.person = person
            self.kind = kind
            self.asOf = asOf
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Mandate>
}

/// Changes the days of a mandate. To end one, set its last day.
package enum ChangeMandate: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/organizations/{organization}/mandates/{mandate}", "Changes the days of a mandate.",
        access: .roles(.operator), problems: [.notFound, .mandateOverlaps], requiresIfMatch: true)

    package typealias Path = MandatePath

    package struct Body: Codable, Sendable {
        package var from: Day?
        package var until: Patched<Day>

        package init(from: Day? = nil, until: Patched<Day> = nil) {
            self.from = from
            self.until = until
        }
    }

    package typealias Response = Mandate
}

/// Deletes a mandate that was entered by mistake. To end one, set its last day.
package enum DeleteMandate: Endpoint {
    package static let operation = Operation(
        .delete, "/v1/organizations/{organization}/mandates/{mandate}",
        "Deletes a mandate that was entered by mistake.",
        success: .noContent, access: .roles(.operator), problems: [.notFound], requiresIfMatch: true)

    package typealias Path = MandatePath
}

/// `/v1/organizations/{organization}/mandates/{mandate}`
package struct MandatePath: PathVariables {
    package var organization: Organization.ID
    package var mandate: Mandate.ID

    package init(organization: Organization.ID, mandate: Mandate.ID) {
        self.organization = organization
        self.mandate = mandate
    }
}

extension ProblemType {
    package static let mandateOverlaps = ProblemType(
        "mandate-overlaps", "Another mandate covers some of these days", .conflict)
}
