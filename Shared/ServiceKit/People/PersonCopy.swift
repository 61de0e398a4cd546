package import ClubProtocol

/// What a service keeps about a person in the directory: a row of `person_copy`.
package struct PersonCopy: Codable, Hashable, Sendable {
    /// What a service may keep besides the name, each in the column of the same name.
    package enum Detail: String, CaseIterable, Sendable {
        case email, organization
    }

    package var id: Person.ID
    /// The given and family names; absent once the person is gone.
    package var name: Line?
    package var email: EmailAddress?
    package var organization: Organization.ID?
    /// The version of the person in the directory.
    package var version: Int
    /// Erased, merged into another person, or deleted.
    package var gone: Bool

    package init(
        id: Person.ID, name: Line? = nil, email: EmailAddress? = nil, organization: Organization.ID? = nil,
        version: Int, gone: Bool
    ) {
        self.id = id
        self.name = name
        self.email = email
        self.organization = organization
        self.version = version
        self.gone = gone
    }
}

extension PersonCopy {
    /// The person as the directory returned them.
    init(_ person: Person) {
        self.init(
            id: person.id, name: Self.name(person.givenName, person.familyName), email: person.email,
            organization: person.organization, version: person.version, gone: false)
    }

    /// The person as of a change in the directory's feed; nil if it is about something else. A change without data
    /// means that the person is gone.
    ///
    /// - Throws: errors of decoding the data.
    init?(_ change: Change) throws {
        guard change.entity == .person, let id = try? Person.ID(validating: change.id) else { return nil }
        guard let data = change.data else {
            self.init(id: id, version: change.version ?? 0, gone: true)
            return
        }
        let snapshot = try data.decoded(as: Snapshot.self)
        self.init(
            id: id, name: Self.name(snapshot.givenName, snapshot.familyName), email: snapshot.email,
            organization: snapshot.organization, version: snapshot.version ?? change.version ?? 0, gone: false)
    }

    /// Without the details that a service may not keep.
    func keeping(_ details: Set<Detail>) -> PersonCopy {
        var copy = self
        if !details.contains(.email) { copy.email = nil }
        if !details.contains(.organization) { copy.organization = nil }
        return copy
    }

    /// The part of a person's data in the feed that a service may keep.
    private struct Snapshot: Decodable {
        var givenName: Line?
        var familyName: Line
        var email: EmailAddress?
        var organization: Organization.ID?
        var version: Int?
    }

    /// The given and family names on one line of at most 200 characters; the family name alone if there is no given
    /// name.
    private static func name(_ given: Line?, _ family: Line) -> Line? {
        try? Line(validating: String(Person.name(given, family).unicodeScalars.prefix(200)))
    }
}
