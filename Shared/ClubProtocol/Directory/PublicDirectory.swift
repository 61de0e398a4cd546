import HTTPTypes

/// An expert as shown to the public: one who consented to the public directory, without e-mail address, telephone
/// number or any person's name.
package struct PublicExpert: Codable, Hashable, Sendable {
    package var id: Expert.ID
    package var subKind: Expert.SubKind
    package var name: Line
    /// Absent only abroad, for countries without postal codes.
    package var postalCode: PostalCode?
    package var commune: Line
    /// Where the expert is located.
    package var departement: Departement
    /// Absent for overseas collectivities, Monaco and abroad, which are in no région.
    package var region: Region?
    /// The départements that the expert serves.
    package var departements: [Departement]
    package var topics: [Topic]
    package var brands: [Line]
    package var website: WebAddress?
}

/// A member of the club as shown to the public: an institution or brand with a current membership that has not
/// declined to be listed.
package struct PublicMember: Codable, Hashable, Sendable {
    package var id: Organization.ID
    package var kind: Organization.Kind
    package var subKind: Organization.SubKind?
    package var name: Line
    package var commune: Line?
    package var departement: Departement?
    package var region: Region?
    package var topics: [Topic]
    package var website: WebAddress?

    /// The kinds of organization listed as members.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case institution, brand
    }
}

extension ProblemType {
    /// The record was public, but no longer is: consent was withdrawn, its subject left, or it was not confirmed.
    package static let noLongerShown = ProblemType(
        "no-longer-shown", "This entry is no longer shown", .gone)
}

/// Lists the experts of the public directory, by name or by distance. No token is required; requests without one are
/// limited to a few per second.
package enum ListPublicExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/experts", "Lists the experts who agreed to be shown, by name or nearest first.",
        access: .anyone)

    package struct Filter: OptionalParameters {
        /// Words of the name or the commune, interpreted as in ``SearchExperts``; a new word is recognized after a
        /// minute.
        package var q: Line?
        /// A département that the expert serves.
        package var departement: Departement?
        /// A région of which they serve at least one département.
        package var region: Region?
        package var topic: Topic?
        package var subKind: Expert.SubKind?
        /// A brand by name, ignoring case and accents.
        package var brand: Line?
        /// Sorts by distance from this postal code, as in ``SearchExperts``.
        package var near: PostalCode?

        package init() {}

        package init(
            q: Line? = nil, departement: Departement? = nil, region: Region? = nil, topic: Topic? = nil,
            subKind: Expert.SubKind? = nil, brand: Line? = nil, near: PostalCode? = nil
        ) {
            self.q = q
            self.departement = departement
            self.region = region
            self.topic = topic
            self.subKind = subKind
            self.brand = brand
            self.near = near
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<PublicExpert>
}

/// Shows one expert of the public directory.
package enum GetPublicExpert: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/experts/{expert}", "Shows an expert who agreed to be shown.", access: .anyone,
        problems: [.notFound])

    package typealias Path = Expert.ID
    package typealias Response = PublicExpert
}

/// Lists the members of the club by name, except those that declined to be listed.
package enum ListPublicMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/members", "Lists the institutions and brands that are members today, by name.",
        access: .anyone)

    package struct Filter: OptionalParameters {
        /// Words of the name or the commune; accents, endings and typing errors are tolerated.
        package var q: Line?
        package var kind: PublicMember.Kind?
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?

        package init() {}

        package init(
            q: Line? = nil, kind: PublicMember.Kind? = nil, departement: Departement? = nil,
            region: Region? = nil, topic: Topic? = nil
        ) {
            self.q = q
            self.kind = kind
            self.departement = departement
            self.region = region
            self.topic = topic
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<PublicMember>
}

/// Shows one member of the club.
package enum GetPublicMember: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/members/{organization}", "Shows an institution or brand that is a member today.",
        access: .anyone, problems: [.notFound])

    package typealias Path = Organization.ID
    package typealias Response = PublicMember
}
