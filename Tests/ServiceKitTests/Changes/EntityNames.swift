import ClubProtocol

/// The records of the services of these tests.
extension EntityName {
    static let note = EntityName(rawValue: "note")
    static let thing = EntityName(rawValue: "thing")
}
