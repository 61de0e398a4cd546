import HTTPTypes

/// Says whether whom a token names still is what it says: the other services ask before they work for a representative, an
/// ambassador or an expert.
package enum CheckCaller: Endpoint {
    package static let operation = Operation(
        .get, "/v1/callers", "Says whether whom a token names is what it says today.", access: .roles(.service))

    package struct Query: Codable, Hashable, Sendable {
        package var role: Role
        /// The organization that a representative speaks for; an expert's own identifier.
        package var organization: Organization.ID?
        package var person: Person.ID?

        package init(role: Role, organization: Organization.ID?, person: Person.ID?) {
            self.role = role
            self.organization = organization
            self.person = person
        }
    }

    package typealias Response = CallerStanding
}

package struct CallerStanding: Codable, Hashable, Sendable {
    /// False for whoever does not exist, has left, was merged into another, was erased, or is of another sort.
    package var isKnown: Bool

    package init(isKnown: Bool) {
        self.isKnown = isKnown
    }
}
