import HTTPTypes

/// A public official whom the club meets.
package struct Official: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Official>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        case deputy, senator, minister, adviser, agencyHead
    }

    package var id: ID
    package var name: Line
    package var kind: Kind
    package var email: EmailAddress?
    package var telephone: Telephone?
    package var note: Prose?
    /// Oldest first.
    package var mandates: [OfficialMandate]
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// An official's role in an institution, with its first and last day.
package struct OfficialMandate: Codable, Hashable, Sendable {
    package typealias ID = Identifier<OfficialMandate>

    package var id: ID
    package var official: Official.ID
    /// `Assemblée nationale`, `Sénat`, a ministry, an agency.
    package var institution: Line
    /// `députée`, `ministre déléguée`, `conseiller numérique`.
    package var role: Line
    package var departement: Departement?
    /// The constituency of a seat, `2e circonscription`; a seat has one holder at a time.
    package var constituency: Line?
    /// The first day.
    package var from: Day
    /// The last day; absent while the mandate lasts.
    package var until: Day?
    package var createdAt: Timestamp
}

/// Creates an official.
package enum CreateOfficial: Endpoint {
    package static let operation = Operation(
        .post, "/v1/officials", "Adds a public official.", success: .created, access: LobbyingAPI.writers)

    package struct Body: Codable, Sendable {
        package var name: Line
        package var kind: Official.Kind
        package var email: EmailAddress?
        package var telephone: Telephone?
        package var note: Prose?

        package init(
            name: Line, kind: Official.Kind, email: EmailAddress? = nil, telephone: Telephone? = nil, note: Prose? = nil
        ) {
            self.name = name
            self.kind = kind
            self.email = email
            self.telephone = telephone
            self.note = note
        }
    }

    package typealias Response = Official
}

/// Lists officials by name.
package enum ListOfficials: Endpoint {
    package static let operation = Operation(
        .get, "/v1/officials", "Lists public officials by name.", access: LobbyingAPI.readers)

    package struct Filter: OptionalParameters {
        package var kind: Official.Kind?
        /// Only officials with a mandate on this day.
        package var inOfficeOn: Day?

        package init() {}

        package init(kind: Official.Kind? = nil, inOfficeOn: Day? = nil) {
            self.kind = kind
            self.inOfficeOn = inOfficeOn
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Official>
}

/// Shows an official with all mandates.
package enum GetOfficial: Endpoint {
    package static let operation = Operation(
        .get, "/v1/officials/{official}", "Shows a public official.", access: LobbyingAPI.readers,
        problems: [.notFound])

    package typealias Path = Official.ID
    package typealias Response = Official
}

/// Changes an official by a merge patch (RFC 7396).
package enum ChangeOfficial: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/officials/{official}", "Changes a public official.", access: LobbyingAPI.writers,
        problems: [.notFound, .alreadyExists, .stale], requiresIfMatch: true)

    package typealias Path = Official.ID

    package struct Body: Codable, Sendable {
        package var name: Line?
        package var kind: Official.Kind?
        package var email: Patched<EmailAddress>
        package var telephone: Patched<Telephone>
        package var note: Patched<Prose>

        package init(
            name: Line? = nil, kind: Official.Kind? = nil, email: Patched<EmailAddress> = nil,
            telephone: Patched<Telephone> = nil, note: Patched<Prose> = nil
        ) {
            self.name = name
            self.kind = kind
            self.email = email
            self.telephone = telephone
            self.note = note
        }
    }

    package typealias Response = Official
}

/// Adds a mandate to an official.
package enum AddOfficialMandate: Endpoint {
    package static let operation = Operation(
        .post, "/v1/officials/{official}/mandates", "Gives a public official a mandate.", success: .created,
        access: LobbyingAPI.writers, problems: [.notFound, .seatTaken])

    package typealias Path = Official.ID

    package struct Body: Codable, Sendable {
        package var institution: Line
        package var role: Line
        package var departement: Departement?
        package var constituency: Line?
        package var from: Day
        package var until: Day?

        package init(
            institution: Line, role: Line, departement: Departement? = nil, constituency: Line? = nil, from: Day,
            until: Day? = nil
        ) {
            self.institution = institution
            self.role = role
            self.departement = departement
            self.constituency = constituency
            self.from = from
            self.until = until
        }
    }

    package typealias Response = OfficialMandate
}

/// Lists the mandates of an official, oldest first.
package enum ListOfficialMandates: Endpoint {
    package static let operation = Operation(
        .get, "/v1/officials/{official}/mandates", "Lists the mandates of a public official.",
        access: LobbyingAPI.readers, problems: [.notFound])

    package typealias Path = Official.ID
    package typealias Query = Paged<Empty>
    package typealias Response = Page<OfficialMandate>
}

extension ProblemType {
    package static let seatTaken = ProblemType(
        "seat-taken", "Another mandate covers this seat in that period", .conflict)
}
