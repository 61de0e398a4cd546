import ClubProtocol

/// What the events service keeps about a person in the directory.
struct Member: Codable, Hashable, Sendable {
    var id: Person.ID
    /// Absent once the person has left the directory.
    var name: Line?
    var email: EmailAddress?
    var organization: Organization.ID?
    /// The version of the person in the directory.
    var version: Int
    /// Erased, merged into another person, or deleted.
    var gone: Bool
}

extension Member {
    init(_ person: Person) {
        self.init(
            id: person.id, name: Self.name(person.givenName, person.familyName), email: person.email,
            organization: person.organization, version: person.version, gone: false)
    }

    /// The person as of a change in the directory's feed; a change without data means that the person is gone.
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

    /// The part of a person's data in the feed that is kept here.
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
