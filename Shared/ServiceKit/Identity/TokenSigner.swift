package import ClubProtocol
import FoundationEssentials
import Synchronization

/// Signs a service's own tokens: one for each peer, valid for a minute and reused within it.
package final class TokenSigner: Sendable {
    private struct Issued: Sendable {
        var token: String
        var renew: Timestamp
    }

    /// How long a token is used: short enough that it is still valid at a peer whose clock is ahead.
    private static let use = Duration.seconds(40)

    package let name: ServiceName
    private let key: KeyFile
    private let now: @Sendable () -> Timestamp
    private let issued = Mutex<[ServiceName: Issued]>([:])

    package init(key: KeyFile, name: ServiceName, now: @escaping @Sendable () -> Timestamp = { .now }) {
        self.key = key
        self.name = name
        self.now = now
    }

    /// - Throws: why the key file cannot be used.
    package convenience init(
        keyFile: String, name: ServiceName, now: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(IdentityFileError) {
        self.init(key: try KeyFile(path: keyFile), name: name, now: now)
    }

    /// The token to call `audience` with.
    package func token(for audience: ServiceName) throws -> String {
        let time = now()
        return try issued.withLock { issued in
            if let known = issued[audience], time < known.renew, time >= known.renew.advanced(by: .zero - Self.use) {
                return known.token
            }
            let token = try CompactToken.sign(
                TokenClaims(
                    iss: name.rawValue, sub: name.rawValue, aud: .init([audience]), role: .service, iat: .init(time),
                    exp: .init(time.advanced(by: TokenRules.serviceLifetime)), jti: Self.newIdentifier()),
                with: key)
            issued[audience] = Issued(token: token, renew: time.advanced(by: Self.use))
            return token
        }
    }

    /// A token for a person, signed with a key that the trust file allows to speak for `people`.
    ///
    /// - Parameters:
    ///   - subject: how the audit trail names the person: see ``Principal/isName(_:)``; not the name of a service.
    ///   - organization: the organization that a representative acts for.
    ///   - audience: the services that accept the token.
    ///   - ttl: how long it is valid.
    package static func personToken(
        key: KeyFile, subject: String, role: Role, organization: Organization.ID? = nil, person: Person.ID? = nil,
        audience: [ServiceName] = ServiceName.allCases, ttl: Duration, now: Timestamp = .now
    ) throws -> String {
        try CompactToken.sign(
            TokenClaims(
                iss: TokenClaims.operatorIssuer, sub: subject, aud: .init(audience), role: role, org: organization,
                person: person, iat: .init(now), exp: .init(now.advanced(by: ttl)), jti: newIdentifier()),
            with: key)
    }

    /// The JWKS document of this service: its public key (RFC 7517, 5).
    var jwks: [UInt8] {
        get throws { Array(try IdentityJSON.encode(PublicKey.Set(keys: [key.publicKey]))) }
    }

    private static func newIdentifier() -> String { UUIDv7.next().uuidString.asciiLowercased }
}
