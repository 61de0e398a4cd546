import HTTPTypes

/// One meeting of the Cercle de l'économie numérique; there are four a year.
package struct CircleMeeting: Codable, Hashable, Sendable {
    package typealias ID = Identifier<CircleMeeting>

    package var id: ID
    package var date: Day
    package var place: Line
    package var theme: Line
    package var description: Prose?
    /// The names of the guests of honour.
    package var guestsOfHonour: [Line]
    /// The number of invitations.
    package var invited: Int
    /// The number of accepted invitations.
    package var accepted: Int
    /// The number of people who attended.
    package var attended: Int
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// Creates a meeting of the Cercle; at most one a day.
package enum CreateCircleMeeting: Endpoint {
    package static let operation = Operation(
        .post, "/v1/circle-meetings", "Creates a meeting of the Cercle.", success: .created,
        access: LobbyingAPI.writers, problems: [.alreadyExists])

    package struct Body: Codable, Sendable {
        package var date: Day
        package var place: Line
        package var theme: Line
        package var description: Prose?

        package init(date: Day, place: Line, theme: Line, description: Prose? = nil) {
            self.date = date
            self.place = place
            self.theme = theme
            self.description = description
        }
    }

    package typealias Response = CircleMeeting
}

/// Lists the meetings of the Cercle, latest first.
package enum ListCircleMeetings: Endpoint {
    package static let operation = Operation(
        .get, "/v1/circle-meetings", "Lists the meetings of the Cercle, the latest first.",
        access: LobbyingAPI.readers)

    package typealias Query = Paged<Empty>
    package typealias Response = Page<CircleMeeting>
}

/// Shows a meeting of the Cercle.
package enum GetCircleMeeting: Endpoint {
    package static let operation = Operation(
        .get, "/v1/circle-meetings/{meeting}", "Shows a meeting of the Cercle.", access: LobbyingAPI.readers,
        problems: [.notFound])

    package typealias Path = CircleMeeting.ID
    package typealias Response = CircleMeeting
}
