import HTTPTypes

/// The page on which people look for an expert, in French.
package enum ShowExperts: Endpoint {
    package static let operation = Operation(
        .get, "/annuaire", "The page on which people look for an expert.", access: .anyone, produces: .html)

    package struct Query: Codable, Sendable {
        package var q: FormField<Line>?
        package var departement: FormField<Departement>?
        package var region: FormField<Region>?
        package var topic: FormField<Topic>?
        package var subKind: FormChoice<Expert.SubKind>?
        /// The last expert of the page before.
        package var after: Expert.ID?
        /// The first expert of the page after; goes before `after`.
        package var before: Expert.ID?

        /// As they stand in the address of the page.
        package enum CodingKeys: String, CodingKey {
            case q, departement, region
            case topic = "theme"
            case subKind = "type"
            case after = "apres"
            case before = "avant"
        }

        package init(
            q: FormField<Line>? = nil, departement: FormField<Departement>? = nil, region: FormField<Region>? = nil,
            topic: FormField<Topic>? = nil, subKind: FormChoice<Expert.SubKind>? = nil, after: Expert.ID? = nil,
            before: Expert.ID? = nil
        ) {
            self.q = q
            self.departement = departement
            self.region = region
            self.topic = topic
            self.subKind = subKind
            self.after = after
            self.before = before
        }
    }

    package typealias Response = TextDocument
}

/// The page of one expert, in French.
package enum ShowExpert: Endpoint {
    package static let operation = Operation(
        .get, "/annuaire/experts/{expert}", "The page of an expert.", redirects: [.movedPermanently],
        access: .anyone, problems: [.notFound, .noLongerShown], produces: .html)

    package typealias Path = ExpertPath
    package typealias Response = TextDocument
}

/// The page of the club's members, in French.
package enum ShowMembers: Endpoint {
    package static let operation = Operation(
        .get, "/annuaire/membres", "The page of the club's members.", access: .anyone, produces: .html)

    package struct Query: Codable, Sendable {
        package var q: FormField<Line>?
        package var departement: FormField<Departement>?
        package var region: FormField<Region>?
        package var topic: FormField<Topic>?
        package var kind: FormChoice<PublicMember.Kind>?
        /// The last member of the page before.
        package var after: Organization.ID?
        /// The first member of the page after; goes before `after`.
        package var before: Organization.ID?

        /// As they stand in the address of the page.
        package enum CodingKeys: String, CodingKey {
            case q, departement, region
            case topic = "theme"
            case kind = "type"
            case after = "apres"
            case before = "avant"
        }

        package init(
            q: FormField<Line>? = nil, departement: FormField<Departement>? = nil, region: FormField<Region>? = nil,
            topic: FormField<Topic>? = nil, kind: FormChoice<PublicMember.Kind>? = nil, after: Organization.ID? = nil,
            before: Organization.ID? = nil
        ) {
            self.q = q
            self.departement = departement
            self.region = region
            self.topic = topic
            self.kind = kind
            self.after = after
            self.before = before
        }
    }

    package typealias Response = TextDocument
}

/// The page of one member, in French.
package enum ShowMember: Endpoint {
    package static let operation = Operation(
        .get, "/annuaire/membres/{organization}", "The page of a member of the club.",
        redirects: [.movedPermanently], access: .anyone, problems: [.notFound, .noLongerShown], produces: .html)

    package typealias Path = OrganizationPath
    package typealias Response = TextDocument
}
