import HTTPTypes

/// Something that a brand or the club publishes: a press release, a white paper, an article, product news.
package struct Resource: Codable, Hashable, Sendable {
    package typealias ID = Identifier<Resource>

    package enum Kind: String, Codable, CaseIterable, Sendable {
        case pressRelease, whitePaper, article, productNews
    }

    package var id: ID
    package var kind: Kind
    package var title: Line
    package var summary: Prose?
    package var text: Prose?
    package var link: WebAddress?
    /// The brand or institution that the resource belongs to.
    package var organization: Organization.ID?
    /// What the club may do with it, in the words of its provider.
    package var rights: Line?
    /// Must not be published before this time.
    package var embargoUntil: Timestamp?
    /// Must not be published from this time on.
    package var expiresAt: Timestamp?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Creates a resource.
package enum CreateResource: Endpoint {
    package static let operation = Operation(
        .post, "/v1/resources", "Files a resource.", success: .created, access: .roles(.operator, .editor))

    package struct Body: Codable, Sendable {
        package var kind: Resource.Kind
        package var title: Line
        package var summary: Prose?
        package var text: Prose?
        package var link: WebAddress?
        package var organization: Organization.ID?
        package var rights: Line?
        package var embargoUntil: Timestamp?
        package var expiresAt: Timestamp?

        package init(
            kind: Resource.Kind, title: Line, summary: Prose? = nil, text: Prose? = nil, link: WebAddress? = nil,
            organization: Organization.ID? = nil, rights: Line? = nil, embargoUntil: Timestamp? = nil,
            expiresAt: Timestamp? = nil
        ) {
            self.kind = kind
            self.title = title
            self.summary = summary
            self.text = text
            self.link = link
            self.organization = organization
            self.rights = rights
            self.embargoUntil = embargoUntil
            self.expiresAt = expiresAt
        }
    }

    package typealias Response = Resource
}

/// Lists resources, newest first.
package enum ListResources: Endpoint {
    package static let operation = Operation(
        .get, "/v1/resources", "Lists resources, newest first.", access: .roles(.operator, .editor, .auditor))

    package struct Filter: OptionalParameters {
        package var kind: Resource.Kind?
        package var organization: Organization.ID?

        package init() {}

        package init(kind: Resource.Kind? = nil, organization: Organization.ID? = nil) {
            self.kind = kind
            self.organization = organization
        }
    }

    package typealias Query = Paged<Filter>
    package typealias Response = Page<Resource>
}

/// Shows a resource.
package enum GetResource: Endpoint {
    package static let operation = Operation(
        .get, "/v1/resources/{resource}", "Shows a resource.", access: .roles(.operator, .editor, .auditor),
        problems: [.notFound])

    package typealias Path = Resource.ID
    package typealias Response = Resource
}

/// Changes a resource by a merge patch.
package enum ChangeResource: Endpoint {
    package static let operation = Operation(
        .patch, "/v1/resources/{resource}", "Changes a resource.", access: .roles(.operator, .editor),
        problems: [.notFound, .resourcePublished], requiresIfMatch: true)

    package typealias Path = Resource.ID

    package struct Body: Codable, Sendable {
        package var title: Line?
        package var summary: Patched<Prose>
        package var text: Patched<Prose>
        package var link: Patched<WebAddress>
        package var rights: Patched<Line>
        package var embargoUntil: Patched<Timestamp>
        package var expiresAt: Patched<Timestamp>

        package init(
            title: Line? = nil, summary: Patched<Prose> = nil, text: Patched<Prose> = nil,
            link: Patched<WebAddress> = nil, rights: Patched<Line> = nil, embargoUntil: Patched<Timestamp> = nil,
            expiresAt: Patched<Timestamp> = nil
        ) {
            self.title = title
            self.summary = summary
            self.text = text
            self.link = link
            self.rights = rights
            self.embargoUntil = embargoUntil
            self.expiresAt = expiresAt
        }
    }

    package typealias Response = Resource
}
