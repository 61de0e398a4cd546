import HTTPTypes

/// The page for finding an expert, in French.
package enum ShowExperts: Endpoint {
    package static let operation = Operation(
        .get, "/annuaire", "The page on which people look for an expert.", access: .anyone, produces: .html)

    package struct Query: Codable, Sendable {
        package var q: FormField<Line>?
        package var departement: FormField<Departement>?
        package var region: FormField<Region>?
        package var topic: FormField<Topic>?
        package var subKind: FormChoice<Expert.SubKind>?
        package var brand: FormField<Line>?
        /// Sorts by distance from this postal code.
        package var near: FormField<PostalCode>?
        /// The last expert of the previous page.
        package var after: ListPosition<Expert>?
        /// The first expert of the next page; takes precedence over `after`. Not for a list sorted by distance.
        package var before: ListPosition<Expert>?

        /// The names in the URL of the page.
        package enum CodingKeys: String, CodingKey {
            case q, departement, region
            case topic = "theme"
            case subKind = "type"
            case brand = "marque"
            case near = "pres"
            case after = "apres"
            case before = "avant"
        }

        package init(
            q: FormField<Line>? = nil, departement: FormField<Departement>? = nil, region: FormField<Region>? = nil,
            topic: FormField<Topic>? = nil, subKind: FormChoice<Expert.SubKind>? = nil,
            brand: FormField<Line>? = nil, near: FormField<PostalCode>? = nil, after: ListPosition<Expert>? = nil,
            before: ListPosition<Expert>? = nil
        ) {
            self.q = q
            self.departement = departement
            self.region = region
            self.topic = topic
            self.subKind = subKind
            self.brand = brand
            self.near = near
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

    package typealias Path = Expert.ID
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
        /// The last member of the previous page.
        package var after: ListPosition<Organization>?
        /// The first member of the next page; takes precedence over `after`.
        package var before: ListPosition<Organization>?

        /// The names in the URL of the page.
        package enum CodingKeys: String, CodingKey {
            case q, departement, region
            case topic = "theme"
            case kind = "type"
            case after = "apres"
            case before = "avant"
        }

        package init(
            q: FormField<Line>? = nil, departement: FormField<Departement>? = nil, region: FormField<Region>? = nil,
            topic: FormField<Topic>? = nil, kind: FormChoice<PublicMember.Kind>? = nil,
            after: ListPosition<Organization>? = nil, before: ListPosition<Organization>? = nil
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

    package typealias Path = Organization.ID
    package typealias Response = TextDocument
}

/// A position in a list, in the URL of a page: the sort key of a row and its identifier; the row may have been
/// deleted since. `0~atelier bleu~01930f2e-…`
package struct ListPosition<Entity>: TextValue {
    /// The stage of the sort order; 0 if the order has only one.
    package let stage: Int
    package let key: String
    package let id: Identifier<Entity>

    package init(stage: Int, key: String, id: Identifier<Entity>) {
        self.stage = stage
        self.key = key
        self.id = id
    }

    /// An identifier alone, the format of older URLs, means the beginning of the list.
    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= 4 * 1100 else { throw InvalidText("is not a valid position in a list") }
        let parts = text.split(atByte: UInt8(ascii: "~")).map(String.init)
        id = try Identifier<Entity>(validating: parts.last ?? "")
        guard parts.count > 1 else {
            (stage, key) = (0, "")
            return
        }
        guard parts.count > 2, let stage = Int(parts[0]), (0...1000).contains(stage) else {
            throw InvalidText("is not a valid position in a list")
        }
        key = parts[1..<(parts.count - 1)].joined(separator: "~")
        if !key.isEmpty { try Text.check(key, maximum: 1000, multiline: false) }
        self.stage = stage
    }

    package var text: String { "\(stage)~\(key)~\(id)" }

    package static var schema: TextSchema {
        TextSchema(maxLength: 1100, example: "0~atelier bleu~01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11")
    }
}
