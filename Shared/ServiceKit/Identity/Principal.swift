package import ClubProtocol
import HTTPTypes

/// Who asks: what a verified token says about its bearer.
package struct Principal: Hashable, Sendable {
    /// The token's `sub`: a person's or operator's name for the audit trail, or the name of a service; of a token of an OpenID
    /// provider with its issuer before it, `https://id.example#1234`.
    package var subject: String
    /// For nobody in particular (``anonymous``) the role is without meaning: ask ``isAnonymous`` first.
    package var role: Role
    /// The organisation that a representative speaks for.
    package var organization: Organization.ID?
    /// The person, where the token names one.
    package var person: Person.ID?
    /// The service, when one calls.
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

    /// Somebody without a token, on an operation that asks for none. Its role is the one with the fewest rights; with
    /// neither person nor organisation, no `WHERE` that asks for one ever matches.
    package static let anonymous = Principal(subject: anonymousSubject, role: .expert)

    package var isAnonymous: Bool { subject == Self.anonymousSubject }

    /// How the audit trail, stored answers and logs name the caller. A person of the directory by the identifier, which says
    /// nothing once the person is erased; a token's `sub` may be a name or an address, and the trail is never rewritten.
    package var actor: String {
        if let person { return "person/\(person)" }
        // An expert's token carries its identifier as the organization.
        if role == .expert, let organization { return "expert/\(organization)" }
        return subject
    }

    /// A service in its own name: for jobs and followers, which no request starts.
    package static func service(_ name: ServiceName) -> Principal {
        Principal(subject: name.rawValue, role: .service, service: name)
    }

    static let anonymousSubject = "anonymous"

    /// Whether a text of a token may name its bearer, in logs, in the audit trail and where requests are counted: 1 to 200 bytes on one
    /// line, all of which people see.
    package static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && Line.showsAll(of: text)
    }
}

extension Problem {
    /// 401 for a token that is not accepted. Says nothing about why (RFC 6750, 3.1).
    package static var invalidToken: Problem {
        Problem(.unauthenticated, headers: [.wwwAuthenticate: "Bearer error=\"invalid_token\""])
    }

    /// 401 for a request without a token.
    package static var missingToken: Problem {
        Problem(.unauthenticated, headers: [.wwwAuthenticate: "Bearer"])
    }
}
