package import ClubProtocol
import Crypto
package import Logging
import Metrics
import Synchronization

/// Determines the principal of a bearer token, by the keys of the trust file.
///
/// A signature check costs more than a query, so an accepted token is remembered by its SHA-256 until it expires or the
/// trust file changes. The number remembered is bounded, and refusals are never remembered, so that made-up tokens
/// cannot evict good ones. A connection that sends the same token again keeps it itself (``VerifiedToken``), and needs
/// neither its hash nor a lock.
package final class TokenVerifier: Sendable {
    private struct State: Sendable {
        var trust: TrustStore
        var stamp: SecureFile.Stamp?
        var trouble: Trouble?
        var nextReport = ContinuousClock.now
        var known: BoundedCache<SHA256.Digest, KnownToken>
    }

    /// A trust file that cannot be used.
    struct Trouble: Sendable {
        var since: Timestamp
        var reason: String
    }

    private let path: String
    private let audience: ServiceName
    private let longestLife: Duration
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let state: Mutex<State>
    /// Counts the versions of the trust file, so that a result based on an old one is not used. Changed with the state
    /// locked.
    private let generation = Atomic<Int>(0)

    /// Reads the trust file.
    ///
    /// - Parameters:
    ///   - trustFile: its path; ``lookAtTrustFile()`` reads it again.
    ///   - audience: the service that tokens must be meant for.
    ///   - longestLife: how long a person's token is valid after it was issued, whatever its `exp`; 24 hours
    ///     by default.
    ///   - capacity: how many tokens are remembered; a few hundred bytes each.
    ///   - now: the clock, for tests.
    /// - Throws: why the file cannot be used.
    package init(
        trustFile: String, audience: ServiceName, longestLife: Duration? = nil,
        capacity: Int = 10_000, logger: Logger = Logger(label: "identity"),
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(IdentityFileError) {
        path = trustFile
        self.audience = audience
        self.longestLife = longestLife ?? TokenRules.personLifetime
        self.now = now
        self.logger = logger
        let stamp = SecureFile.Stamp(path: trustFile)
        let trust = try TrustStore(TrustFile(path: trustFile), path: trustFile)
        state = Mutex(
            State(
                trust: trust, stamp: stamp, known: BoundedCache(capacity: capacity)))
    }

    /// The principal of the token in an `Authorization` header field: `Bearer <token>`.
    ///
    /// - Throws: 401 `Problem.missingToken` if there is none, `Problem.invalidToken` for a bad one.
    package func verify(authorization: String?) throws(Problem) -> Principal {
        var last: VerifiedToken?
        return try verify(authorization: authorization, last: &last)
    }

    /// The same for a connection that remembers the last good token that it sent.
    func verify(authorization: String?, last: inout VerifiedToken?) throws(Problem) -> Principal {
        guard let authorization else { throw .missingToken }
        if let last, last.authorization.hasSameBytes(as: authorization),
            last.generation == generation.load(ordering: .acquiring), last.known.expires > now()
        {
            return last.known.principal
        }
        // The scheme and its space. Checked first, so that nothing scans a field longer than any token.
        guard authorization.utf8.count <= CompactToken.maximumBytes + 8 else { throw refuse(.tooLong) }
        guard let blank = authorization.utf8.firstIndex(of: UInt8(ascii: " ")),
            authorization[..<blank].asciiLowercased.hasSameBytes(as: "bearer")
        else { throw .invalidToken }
        let token = Substring(authorization.utf8[blank...].drop { $0 == UInt8(ascii: " ") })
        let (known, generation) = try known(token)
        last = VerifiedToken(authorization: authorization, known: known, generation: generation)
        return known.principal
    }

    /// The principal of a token. Synchronous, and cheap for a token that was seen before.
    ///
    /// - Throws: 401 `Problem.invalidToken` whatever is wrong; the reason is logged, without the token.
    func verify(_ token: Substring) throws(Problem) -> Principal { try known(token).0.principal }

    private func known(_ token: Substring) throws(Problem) -> (KnownToken, generation: Int) {
        guard token.utf8.count <= CompactToken.maximumBytes else { throw refuse(.tooLong) }
        let time = now()
        var token = token
        let digest = token.withUTF8 { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            return hash.finalize()
        }
        let (known, trust, generation) = state.withLock { state in
            let known = state.known.value(of: digest)
            if let known, known.expires <= time { state.known.remove(digest) }
            return (known, state.trust, self.generation.load(ordering: .relaxed))
        }
        if let known {
            guard known.expires > time else { throw refuse(.expired) }
            return (known, generation)
        }
        do {
            let rules = TokenRules(trust: trust, audience: audience, now: time, longestLife: longestLife)
            let (principal, expires) = try rules.check(Array(token.utf8))
            let known = KnownToken(principal: principal, expires: expires)
            state.withLock { state in
                guard self.generation.load(ordering: .relaxed) == generation else { return }
                state.known.set(known, for: digest)
            }
            return (known, generation)
        } catch {
            throw refuse(error)
        }
    }

    /// How many tokens are remembered now.
    var remembered: Int { state.withLock { $0.known.count } }

    private func refuse(_ reason: TokenRefusal) -> Problem {
        Counter(label: "identity_tokens_refused_total", dimensions: [("reason", reason.rawValue)]).increment()
        logger.debug("token refused", metadata: ["reason": "\(reason.rawValue)"])
        return .invalidToken
    }

    // MARK: The trust file

    /// Since when and why the trust file cannot be used; nil while it can.
    var trouble: Trouble? { state.withLock { $0.trouble } }

    /// Loads a changed trust file. If it cannot be used, the old one stays in force: a typing error must not lock
    /// everyone out. The failure is logged every minute, and is a warning on the health page until it is fixed.
    ///
    /// Reads files, and so may wait for a disk: do not call it on threads that read requests.
    func lookAtTrustFile() {
        let previous = state.withLock { ($0.stamp, $0.trouble) }
        let stamp = SecureFile.Stamp(path: path)
        // A file that could not be used is read again: reading it may have failed, and a corrected permission does not
        // change the stamp.
        guard stamp != previous.0 || previous.1 != nil else { return }
        do {
            let trust = try TrustStore(TrustFile(path: path), path: path)
            state.withLock { state in
                state.trust = trust
                state.stamp = stamp
                state.trouble = nil
                generation.add(1, ordering: .releasing)
                state.known.removeAll()
            }
            logger.notice("trust file read again", metadata: ["keys": "\(trust.entries.count)"])
        } catch {
            let trouble = Trouble(since: previous.1?.since ?? now(), reason: "\(error)")
            state.withLock { state in
                if stamp != state.stamp || state.trouble == nil { state.nextReport = .now }
                state.stamp = stamp
                state.trouble = trouble
            }
            report(trouble)
        }
    }

    private func report(_ trouble: Trouble) {
        let isDue = state.withLock { state in
            guard ContinuousClock.now >= state.nextReport else { return false }
            state.nextReport = .now.advanced(by: .seconds(60))
            return true
        }
        guard isDue else { return }
        logger.error(
            "trust file not usable, the old one stays in force",
            metadata: ["reason": "\(trouble.reason)", "since": "\(trouble.since.text)"])
    }
}

/// What an accepted token says.
struct KnownToken: Sendable {
    var principal: Principal
    var expires: Timestamp
}

/// The last good token of a connection, with the version of the trust file that it was checked with.
struct VerifiedToken: Sendable {
    fileprivate let authorization: String
    fileprivate let known: KnownToken
    fileprivate let generation: Int
}
