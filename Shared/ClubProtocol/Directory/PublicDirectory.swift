import HTTPTypes

/// An expert as anybody may see it: who agreed to the public directory, without address, telephone or the name of a person.
package struct PublicExpert: Codable, Hashable, Sendable {
    package var id: Expert.ID
    package var subKind: Expert.SubKind
    package var name: Line
    /// Absent only abroad, where some countries have none.
    package var postalCode: PostalCode?
    package var commune: Line
    /// Where the expert is.
    package var departement: Departement
    /// Absent in the collectivities overseas, in Monaco and abroad, which lie in none.
    package var region: Region?
    /// The départements served.
    package var departements: [Departement]
    package var topics: [Topic]
    package var brands: [Line]
    package var website: WebAddress?
}

/// A member of the club as anybody may see it: an institution or a brand whose membership is running, and that has not declined.
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

    /// The kinds of organization that the club shows as its members.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case institution, brand
    }
}

extension ProblemType {
    /// Somebody who was shown, and is not any more: consent was taken back, or the record was left, or not confirmed.
    package static let noLongerShown = ProblemType(
        "no-longer-shown", "This entry is not shown any more", .gone)
}

/// Lists the experts of the public directory, by name or the nearest first. Nobody needs a token; requests without one are few a second.
package enum ListPublicExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/experts", "Lists the experts who agreed to be shown, by name or nearest first.",
        access: .anyone)

    package struct Query: Codable, Sendable, PagedQuery {
        /// Words of the name or the commune, read as in ``SearchExperts``; a new word is known to be one after a minute.
        package var q: Line?
        /// A département served.
        package var departement: Departement?
        /// A région served, in one département at least.
        package var region: Region?
        package var topic: Topic?
        package var subKind: Expert.SubKind?
        /// A brand by its name; case and accents do not matter.
        package var brand: Line?
        /// The nearest come first, as in ``SearchExperts``.
        package var near: PostalCode?
        /// At most 50 here.
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            q: Line? = nil, departement: Departement? = nil, region: Region? = nil, topic: Topic? = nil,
            subKind: Expert.SubKind? = nil, brand: Line? = nil, near: PostalCode? = nil,
            limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.q = q
            self.departement = departement
            self.region = region
            self.topic = topic
            self.subKind = subKind
            self.brand = brand
            self.near = near
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<PublicExpert>
}

/// Shows one expert of the public directory.
package enum GetPublicExpert: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/experts/{expert}", "Shows an expert who agreed to be shown.", access: .anyone,
        problems: [.notFound])

    package typealias Path = ExpertPath
    package typealias Response = PublicExpert
}

/// Lists the members of the club by name, save those that declined to be shown.
package enum ListPublicMembers: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/members", "Lists the institutions and brands that are members today, by name.",
        access: .anyone)

    package struct Query: Codable, Sendable, PagedQuery {
        /// Words of the name or the commune; accents, endings and typing errors are forgiven.
        package var q: Line?
        package var kind: PublicMember.Kind?
        package var departement: Departement?
        package var region: Region?
        package var topic: Topic?
        /// At most 50 here.
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            q: Line? = nil, kind: PublicMember.Kind? = nil, departement: Departement? = nil,
            region: Region? = nil, topic: Topic? = nil,
            limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.q = q
            self.kind = kind
            self.departement = departement
            self.region = region
            self.topic = topic
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<PublicMember>
}

/// Shows one member of the club.
package enum GetPublicMember: Endpoint {
    package static let operation = Operation(
        .get, "/v1/public/members/{organization}", "Shows an institution or brand that is a member today.",
        access: .anyone, problems: [.notFound])

    package typealias Path = OrganizationPath
    package typealias Response = PublicMember
}
