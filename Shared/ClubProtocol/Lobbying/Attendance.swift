import HTTPTypes

/// Who attended a meeting of the Cercle.
package struct Attendance: Codable, Hashable, Sendable {
    package var meeting: CircleMeeting.ID
    /// By name, officials first.
    package var attendees: [Attendee]
}

/// Someone who attended, with or without an invitation: an official, or a person from the directory.
package struct Attendee: Codable, Hashable, Sendable {
    package var official: Official.ID?
    package var person: Person.ID?
    /// Absent once the person has been erased in the directory.
    package var name: Line?
}

/// Records who attended. The list replaces the previous one, so repeating the request changes nothing.
package enum RecordAttendance: Endpoint {
    package static let operation = Operation(
        .put, "/v1/circle-meetings/{meeting}/attendance", "Records who came to a meeting of the Cercle.",
        access: LobbyingAPI.writers, problems: [.notFound])

    package typealias Path = CircleMeeting.ID

    package struct Body: Codable, Sendable, BoundedFields {
        package var officials: [Official.ID]
        package var people: [Person.ID]

        /// More than any meeting has; each person missing from the local copy costs a call to the directory.
        package static let bounds: KeyValuePairs<String, FieldBound> = [
            "officials": .most(500), "people": .most(500),
        ]

        package init(officials: [Official.ID] = [], people: [Person.ID] = []) {
            self.officials = officials
            self.people = people
        }
    }

    package typealias Response = Attendance
}

/// Shows who attended a meeting of the Cercle.
package enum GetAttendance: Endpoint {
    package static let operation = Operation(
        .get, "/v1/circle-meetings/{meeting}/attendance", "Shows who came to a meeting of the Cercle.",
        access: LobbyingAPI.readers, problems: [.notFound])

    package typealias Path = CircleMeeting.ID
    package typealias Response = Attendance
}
