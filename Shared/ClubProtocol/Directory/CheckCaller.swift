import HTTPTypes

/// Checks whether the holder of a token still has the role it states. The other services call it before they act for
/// a representative, an ambassador or an expert.
package enum CheckCaller: Endpoint {
    package static let operation = Operation(
        .get, "/v1/callers", "Checks whether a token's claims about its bearer hold today.", access: .roles(.service))

    package struct Query: Codable, Hashable, Sendable {
        package var role: Role
        /// The organization that a representative acts for; an expert's own identifier.
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
    /// False if the caller does not exist, has left, was merged into another record, was erased, or has another role.
    package var isKnown: Bool

    package init(isKnown: Bool) {
        self.isKnown = isKnown
    }
}
