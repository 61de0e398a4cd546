/// What a caller is to the club.
package enum Role: String, Codable, CaseIterable, Sendable {
    /// The club's own staff; runs everything.
    case `operator`
    /// Staff who write and send the Flash info.
    case editor
    /// Staff who prepare the Cercle de l'économie numérique.
    case lobbyist
    /// A person who represents one organization.
    case representative
    case ambassador
    case expert
    /// Another service of the club.
    case service
    /// Reads everything, changes nothing.
    case auditor
}

/// Who may call an operation. Which objects the caller can see or change is decided by the store's `WHERE` clause.
package enum Access: Hashable, Sendable {
    /// No token is required.
    case anyone
    case roles(Set<Role>)

    package static func roles(_ roles: Role...) -> Access { .roles(Set(roles)) }

    package func allows(_ role: Role) -> Bool {
        switch self {
        case .anyone: true
        case .roles(let roles): roles.contains(role)
        }
    }
}

/// The four services, by the names that tokens, URLs and schemas use.
package enum ServiceName: String, Codable, CaseIterable, Sendable {
    case directory, events, content, lobbying
}
