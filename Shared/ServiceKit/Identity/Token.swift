import ClubProtocol
import Crypto
import FoundationEssentials

/// The claims of a token (RFC 7519) that the club uses.
struct TokenClaims: Codable, Sendable {
    /// The `iss` of the tokens that the operator's key signs for people.
    static let operatorIssuer = "operator"

    var iss: String
    var sub: String
    var aud: Audience
    var role: Role
    var org: Organization.ID?
    var person: Person.ID?
    var iat: NumericDate
    var nbf: NumericDate?
    var exp: NumericDate
    var jti: String

    /// One or more names; a single one is encoded without brackets.
    struct Audience: Codable, Sendable {
        var names: [String]

        init(_ services: [ServiceName]) {
            names = services.map(\.rawValue)
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let name = try? container.decode(String.self) {
                names = [name]
            } else {
                names = try container.decode([String].self)
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let name = names.first, names.count == 1 {
                try container.encode(name)
            } else {
                try container.encode(names)
            }
        }
    }

    /// Seconds since 1970; a fraction is allowed when reading.
    struct NumericDate: Codable, Sendable {
        var timestamp: Timestamp

        init(_ timestamp: Timestamp) {
            self.timestamp = timestamp
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let seconds = try container.decode(Double.self)
            // At most the end of the year 9999, which keeps all later arithmetic far from overflow.
            guard (0...253_402_300_799).contains(seconds) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not a valid NumericDate")
            }
            timestamp = Timestamp(microseconds: Int64(seconds * 1_000_000))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(timestamp.microseconds / 1_000_000)
        }
    }
}

/// Why a token is refused: for the operator's log and metrics, never for the caller.
enum TokenRefusal: String, Error, CaseIterable, Sendable {
    case tooLong, malformed, algorithm, header, unknownKey, issuer, subject, signature, claims, role, audience, expired,
        future, lifetime, revoked
}

/// A token split into its parts, before any of it is trusted.
struct CompactToken {
    /// Longer than any of ours; a longer one is refused before it is decoded.
    static let maximumBytes = 8192

    let algorithm: String
    let kid: String
    let payload: [UInt8]
    let signature: [UInt8]
    let signed: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) throws(TokenRefusal) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLong }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        (algorithm, kid) = try Self.read(header)
        self.payload = payload
        self.signature = signature
        signed = bytes[..<parts[1].endIndex]
    }

    /// Whether a text has the form of a token: three parts, the first of which is an object.
    static func looksLikeOne(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(Array(parts[0])[...]) else { return false }
        return header.first { $0 > 0x20 } == UInt8(ascii: "{")
    }

    /// Header parameters that would let a token supply or reference its own key, or change how it is read. Ours have
    /// none of them; a token that has one is treated as an attack (RFC 8725, 3.10).
    private static let forbidden: Set<String> = [
        "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc",
    ]

    private static func read(_ header: [UInt8]) throws(TokenRefusal) -> (algorithm: String, kid: String) {
        guard header.allSatisfy({ $0 < 0x80 }),
            let object = try? LenientJSON.decode([String: JSONValue].self, from: header)
        else { throw .malformed }
        // Not verified yet: text that is not ASCII is not compared with anything.
        let texts = object.keys + ["alg", "typ", "kid"].compactMap { object[$0]?.string }
        guard texts.allSatisfy(\.isASCII) else { throw .malformed }
        guard case .string(let algorithm) = object["alg"], ["EdDSA", "ES256", "RS256"].contains(algorithm) else {
            throw .algorithm
        }
        guard [nil, .string("JWT")].contains(object["typ"]), forbidden.isDisjoint(with: object.keys) else {
            throw .header
        }
        guard case .string(let kid) = object["kid"] else { throw .unknownKey }
        return (algorithm, kid)
    }

    /// A token with `claims`, signed with `key` (RFC 7515, 7.1).
    static func sign(_ claims: TokenClaims, with key: KeyFile) throws -> String {
        let header = try IdentityJSON.encode(["alg": "EdDSA", "kid": key.kid, "typ": "JWT"])
        let signed = try "\(Base64URL.encode(header)).\(Base64URL.encode(IdentityJSON.encode(claims)))"
        return try "\(signed).\(Base64URL.encode(key.key.signature(for: Data(signed.utf8))))"
    }
}

/// The rules for valid tokens.
struct TokenRules {
    /// How far the clocks of two machines may differ.
    static let skew = Duration.seconds(60)
    /// How long a service's token may live (`exp` − `iat`).
    static let serviceLifetime = Duration.seconds(60)

    /// How long a person's token may live after it was issued, whatever its `exp` says.
    static let personLifetime = Duration.seconds(86_400)

    let trust: TrustStore
    let audience: ServiceName
    let now: Timestamp
    var longestLife = TokenRules.personLifetime

    /// The token's principal, and until when it is valid.
    func check(_ bytes: [UInt8]) throws(TokenRefusal) -> (principal: Principal, expires: Timestamp) {
        let token = try CompactToken(bytes)
        guard let entry = trust.entries[token.kid] else { throw .unknownKey }
        guard entry.key.algorithm == token.algorithm else { throw .algorithm }
        guard entry.key.isValid(token.signature, for: token.signed) else { throw .signature }
        guard let claims = try? JSONDecoder().decode(TokenClaims.self, from: Data(token.payload)),
            Principal.isName(claims.sub), Principal.isName(claims.jti)
        else { throw .claims }
        let principal = try principal(of: claims, signedBy: entry.issuer)
        guard claims.aud.names.contains(audience.rawValue) else { throw .audience }
        let expires = try expiry(claims, isService: principal.service != nil)
        guard !trust.revoked.contains(claims.jti) else { throw .revoked }
        return (principal, expires)
    }

    /// A service signs with its own key, in its own name, with the role of a service. All others are signed by the
    /// operator's key or by an OpenID provider, and never have that role.
    private func principal(
        of claims: TokenClaims, signedBy signer: TrustStore.TrustedIssuer
    ) throws(TokenRefusal) -> Principal {
        if let service = ServiceName(rawValue: claims.iss) {
            guard case .club(let principals) = signer, principals.contains(.service(service)) else { throw .issuer }
            guard claims.sub == claims.iss else { throw .subject }
            guard claims.role == .service, claims.org == nil, claims.person == nil else { throw .role }
            return .service(service)
        }
        var subject = claims.sub
        switch signer {
        case .club(let principals):
            guard claims.iss == TokenClaims.operatorIssuer, principals.contains(.people) else { throw .issuer }
        case .provider(let issuer):
            guard claims.iss == issuer else { throw .issuer }
            // A `sub` is unique only within its issuer (RFC 7519, 4.1.2).
            subject = "\(issuer)#\(subject)"
        }
        guard claims.role != .service else { throw .role }
        guard ServiceName(rawValue: claims.sub) == nil, claims.sub != Principal.anonymousSubject else { throw .subject }
        return Principal(
            subject: subject, role: claims.role, organization: claims.org, person: claims.person)
    }

    /// When a token expires: at its own `exp`, or at our limit for a person's token if that is earlier.
    private func expiry(_ claims: TokenClaims, isService: Bool) throws(TokenRefusal) -> Timestamp {
        let issued = claims.iat.timestamp
        let expires = isService ? claims.exp.timestamp : min(claims.exp.timestamp, issued.advanced(by: longestLife))
        guard expires > now else { throw .expired }
        let latest = now.advanced(by: Self.skew)
        guard issued <= latest, (claims.nbf?.timestamp ?? issued) <= latest else { throw .future }
        guard expires > issued, !isService || expires <= issued.advanced(by: Self.serviceLifetime) else {
            throw .lifetime
        }
        return expires
    }
}
