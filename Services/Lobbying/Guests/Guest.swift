import ClubProtocol

/// What the lobbying service keeps of a person of the directory.
struct Guest: Codable, Hashable, Sendable {
    var id: Person.ID
    /// Absent once the person is gone from the directory.
    var name: Line?
    /// The directory's version of the person.
    var version: Int
    /// Erased, merged into another or deleted.
    var gone: Bool
}

extension Guest {
    init(_ person: Person) {
        self.init(
            id: person.id, name: Self.name(person.givenName, person.familyName), version: person.version, gone: false)
    }

    /// What a change of the directory's feed says about a person; without the person's data, they are gone.
    init?(_ change: Change) throws {
        guard change.entity == "person", let id = try? Person.ID(validating: change.id) else { return nil }
        guard let data = change.data else {
            self.init(id: id, version: change.version ?? 0, gone: true)
            return
        }
        let snapshot = try data.decoded(as: Snapshot.self)
        self.init(
            id: id, name: Self.name(snapshot.givenName, snapshot.familyName),
            version: snapshot.version ?? change.version ?? 0, gone: false)
    }

    /// The part of a person's data in the feed that is kept here.
    private struct Snapshot: Decodable {
        var givenName: Line?
        var familyName: Line
        var version: Int?
    }

    /// Both names, or the only one, on one line, which has room for 200 characters.
    private static func name(_ given: Line?, _ family: Line) -> Line? {
        try? Line(validating: String(Person.name(given, family).unicodeScalars.prefix(200)))
    }
}
