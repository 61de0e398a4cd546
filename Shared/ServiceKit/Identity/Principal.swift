package import ClubProtocol
import HTTPTypes

/// The caller: what a verified token says about its bearer.
package struct Principal: Hashable, Sendable {
    /// The token's `sub`: the name of a person or operator for the audit trail, or of a service; for a token of an
    /// OpenID provider preceded by its issuer, `https://id.example#1234`.
    package var subject: String
    /// The role has no meaning for ``anonymous``: check ``isAnonymous`` first.
    package var role: Role
    /// The organization that a representative acts for.
    package var organization: Organization.ID?
    /// The person, if the token names one.
    package var person: Person.ID?
    /// The calling service, if it is one.
    package var service: ServiceName?

    package init(
        subject: String, role: Role, organization: Organization.ID? = nil, person: Person.ID? = nil,
        service: ServiceName? = nil
    ) {
        self.subject = subject
        self.role = role
        self.organization = organization
        self.person = person
        self.service = service
    }

    /// A caller without a token, on an operation that requires none. Its role is the one with the fewest rights; with
    /// neither person nor organization, it matches no `WHERE` that asks for one.
    package static let anonymous = Principal(subject: anonymousSubject, role: .expert)

    var isAnonymous: Bool { subject == Self.anonymousSubject }

    /// How the audit trail, stored responses and logs name the caller. A person of the directory is named by the
    /// identifier, which means nothing once the person is erased; a token's `sub` may be a name or an address, and the
    /// trail is never rewritten.
    package var actor: String {
        if let person { return "person/\(person)" }
        // An expert's token carries the expert's identifier as the organization.
        if role == .expert, let organization { return "expert/\(organization)" }
        return subject
    }

    /// A service on its own behalf: for jobs and followers, which no request starts.
    package static func service(_ name: ServiceName) -> Principal {
        Principal(subject: name.rawValue, role: .service, service: name)
    }

    static let anonymousSubject = "anonymous"

    /// Whether a text of a token may name its bearer in logs, in the audit trail and in counting requests: 1 to 200
    /// bytes on one line, all of them visible.
    package static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && Line.showsAll(of: text)
    }
}

extension Problem {
    /// 401 for a token that is not accepted, without the reason (RFC 6750, 3.1).
    static var invalidToken: Problem {
        Problem(.unauthenticated, headers: [.wwwAuthenticate: "Bearer error=\"invalid_token\""])
    }

    /// 401 for a request without a token.
    static var missingToken: Problem {
        Problem(.unauthenticated, headers: [.wwwAuthenticate: "Bearer"])
    }
}
