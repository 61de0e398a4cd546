package import ClubProtocol
import Crypto
import FoundationEssentials

/// Whose tokens each key may sign: the content of `TRUST_FILE`, public keys only, the same for every service.
///
/// `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"…","kid":"…","alg":"EdDSA","use":"sig","speaks_for":["people"]}],
/// "issuers":[{"issuer":"https://…","keys":[…]}],"revoked":["<jti>"]}`
package struct TrustFile: Codable, Hashable, Sendable {
    /// Whose tokens a key may sign: `"people"`, or the name of one service.
    package enum Principals: Codable, Hashable, Sendable {
        /// All callers that are not services, in tokens of the issuer `operator`.
        case people
        case service(ServiceName)

        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let name = try container.decode(String.self)
            if name == "people" {
                self = .people
            } else if let service = ServiceName(rawValue: name) {
                self = .service(service)
            } else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "is neither people nor the name of a service")
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .people: try container.encode("people")
            case .service(let name): try container.encode(name.rawValue)
            }
        }
    }

    package struct Key: Codable, Hashable, Sendable {
        package var key: PublicKey
        package var speaksFor: [Principals]

        package init(_ key: KeyFile, speaksFor: [Principals]) {
            self.key = key.publicKey
            self.speaksFor = speaksFor
        }

        private enum CodingKeys: String, CodingKey { case speaksFor = "speaks_for" }

        package init(from decoder: any Decoder) throws {
            key = try PublicKey(from: decoder)
            speaksFor = try decoder.container(keyedBy: CodingKeys.self).decode([Principals].self, forKey: .speaksFor)
        }

        package func encode(to encoder: any Encoder) throws {
            try key.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(speaksFor, forKey: .speaksFor)
        }
    }

    /// An OpenID provider and the keys of its JWKS: they sign for people, in tokens with this `iss`. Ed25519, P-256 and
    /// RSA keys are used (`EdDSA`, `ES256`, `RS256`), others are skipped. The provider must include the club's claims
    /// in its tokens: `role`, and `org` and `person` where the role needs them, with the services in `aud`.
    package struct Issuer: Codable, Hashable, Sendable {
        package var issuer: String
        package var keys: [PublicKey]
    }

    package var keys: [Key]
    var issuers: [Issuer]?
    /// The `jti` of tokens that are no longer accepted although they have not expired.
    var revoked: [String]?

    package init(keys: [Key], issuers: [Issuer]? = nil, revoked: [String] = []) {
        self.keys = keys
        self.issuers = issuers
        self.revoked = revoked
    }

    package init(path: String) throws(IdentityFileError) {
        let data = try SecureFile.read(path)
        try Self.checkMembers(data, path: path)
        do {
            self = try JSONDecoder().decode(TrustFile.self, from: data)
        } catch let error as DecodingError {
            throw IdentityFileError(path, Self.reason(error))
        } catch {
            throw IdentityFileError(path, "cannot be decoded")
        }
    }

    /// Whether a service could use this file.
    ///
    /// - Parameter path: named in the error.
    /// - Returns: how many keys it has.
    /// - Throws: the first error found.
    package func check(path: String) throws(IdentityFileError) -> Int {
        try TrustStore(self, path: path).entries.count
    }

    /// Creates the file, mode 0644. An existing file is an error, and stays as it is.
    package func write(to path: String) throws(IdentityFileError) {
        _ = try TrustStore(self, path: path)
        try SecureFile.create(IdentityJSON.file(self, path: path), at: path, mode: 0o644)
    }

    /// Replaces the file atomically, mode 0644: to add a key or to revoke a token. Running services load it by
    /// themselves.
    package func replace(at path: String) throws(IdentityFileError) {
        _ = try TrustStore(self, path: path)
        try SecureFile.replace(IdentityJSON.file(self, path: path), at: path, mode: 0o644)
    }

    /// An ignored member would be a rule that is not enforced: a token under `"revokd"` would not be revoked. In a key,
    /// members that are not understood are ignored as in any JWK (RFC 7517, 4), except our own members in the wrong
    /// place.
    private static func checkMembers(_ data: Data, path: String) throws(IdentityFileError) {
        guard let value = try? StrictJSON.decode(JSONValue.self, from: data) else {
            throw IdentityFileError(path, "is not JSON, or has a duplicate member")
        }
        try checkMembers(value, ["keys", "issuers", "revoked"], "", path: path)
        try checkKeys(value["keys"], without: misplaced, "", path: path)
        for (index, issuer) in (value["issuers"]?.array ?? []).enumerated() {
            try checkMembers(issuer, ["issuer", "keys"], "issuers/\(index)/", path: path)
            // A provider's keys sign only people's tokens.
            try checkKeys(issuer["keys"], without: misplaced + ["speaks_for"], "issuers/\(index)/", path: path)
        }
    }

    /// The members of the file and of an issuer.
    private static let misplaced = ["keys", "issuers", "issuer", "revoked"]

    private static func checkKeys(
        _ keys: JSONValue?, without names: [String], _ place: String, path: String
    ) throws(IdentityFileError) {
        for (index, key) in (keys?.array ?? []).enumerated() {
            guard case .object(let members) = key else { continue }
            for name in names where members.contains(where: { $0.0.hasSameBytes(as: name) }) {
                throw IdentityFileError(path, "\(place)keys/\(index)/\(name) is not for a key")
            }
        }
    }

    private static func checkMembers(
        _ value: JSONValue, _ known: [String], _ place: String, path: String
    ) throws(IdentityFileError) {
        guard case .object(let members) = value else { return }
        for (name, member) in members {
            guard known.contains(where: { $0.hasSameBytes(as: name) }) else {
                throw IdentityFileError(path, "\(place)\(name.prefix(100)) is not known")
            }
            if member == .null { throw IdentityFileError(path, "\(place)\(name) is null") }
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: "is not JSON"
        case .dataCorrupted(let context): "\(place(context.codingPath)) is not valid"
        @unknown default: "cannot be decoded"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}

/// A trust file, checked and ready for use.
struct TrustStore: Sendable {
    /// In whose name a key signs tokens.
    enum TrustedIssuer: Hashable, Sendable {
        /// The operator's key or a service's, with the principals whose tokens it may sign.
        case club(Set<TrustFile.Principals>)
        /// An OpenID provider, by its `iss`: its tokens are people's.
        case provider(String)
    }

    struct Entry: Sendable {
        var key: VerificationKey
        var issuer: TrustedIssuer
    }

    private(set) var entries: [String: Entry] = [:]
    let revoked: Set<String>

    init(_ file: TrustFile, path: String) throws(IdentityFileError) {
        for (index, jti) in (file.revoked ?? []).enumerated() {
            // No accepted token can have it, so nothing would be revoked.
            guard Principal.isName(jti) else { throw IdentityFileError(path, "revoked/\(index) is not a valid jti") }
            guard !CompactToken.looksLikeOne(jti) else {
                throw IdentityFileError(path, "revoked/\(index) is a token; its jti belongs here")
            }
        }
        revoked = Set(file.revoked ?? [])
        for item in file.keys {
            let kid = item.key.kid ?? ""
            guard PlainIdentifier.isValid(kid) else { throw IdentityFileError(path, "a key has no usable kid") }
            guard let key = item.key.ed25519 else { throw IdentityFileError(path, "key \(kid) is not an Ed25519 key") }
            guard !item.speaksFor.isEmpty else { throw IdentityFileError(path, "key \(kid) has an empty speaks_for") }
            try add(kid, Entry(key: .ed25519(key), issuer: .club(Set(item.speaksFor))), path: path)
        }
        for provider in file.issuers ?? [] {
            guard provider.issuer.hasBytePrefix("https://") || provider.issuer.hasBytePrefix("http://") else {
                throw IdentityFileError(path, "an issuer must be a URL")
            }
            // An issuer has no fragment (OpenID Connect Core 1.0, 2), and `#` separates issuer and subject in a
            // principal's name.
            guard !provider.issuer.utf8.contains(UInt8(ascii: "#")) else {
                throw IdentityFileError(path, "an issuer has a fragment")
            }
            for item in provider.keys {
                guard let kid = item.kid, let key = VerificationKey(item) else { continue }
                try add(kid, Entry(key: key, issuer: .provider(provider.issuer)), path: path)
            }
        }
        guard !entries.isEmpty else { throw IdentityFileError(path, "has no key") }
    }

    private mutating func add(_ kid: String, _ entry: Entry, path: String) throws(IdentityFileError) {
        guard entries.updateValue(entry, forKey: kid) == nil else {
            throw IdentityFileError(path, "two keys have the same kid")
        }
    }
}
