import ClubProtocol
import Crypto
import Foundation
import Logging
import Synchronization

@testable import ServiceKit

/// A directory of key and trust files, a clock that moves only when it is told to, and a log that can be read.
final class IdentityFixture: Sendable {
    let directory: String
    let people: KeyFile
    let events: KeyFile
    let stranger: KeyFile
    let clock = Clock()
    let log = Log()

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        people = try KeyFile.generate(kid: "people-1")
        events = try KeyFile.generate(kid: "events-1")
        stranger = try KeyFile.generate(kid: "stranger-1")
        try trust.write(to: trustPath)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var trustPath: String { "\(directory)/trust.json" }

    var trust: TrustFile {
        TrustFile(keys: [
            TrustFile.Key(people, speaksFor: [.people]), TrustFile.Key(events, speaksFor: [.service(.events)]),
        ])
    }

    func verifier(capacity: Int = 100) throws -> TokenVerifier {
        var logger = Logger(label: "test", factory: { [log] _ in log })
        logger.logLevel = .trace
        return try TokenVerifier(
            trustFile: trustPath, audience: .directory, capacity: capacity, logger: logger, now: clock.read)
    }

    func claims(_ change: (inout [String: JSONValue]) -> Void = { _ in }) -> [String: JSONValue] {
        let now = clock.seconds
        var claims: [String: JSONValue] = [
            "iss": "operator", "sub": "claire", "aud": "directory", "role": "editor", "iat": .integer(now),
            "exp": .integer(now + 3600), "jti": "one",
        ]
        change(&claims)
        return claims
    }

    func serviceClaims(_ change: (inout [String: JSONValue]) -> Void = { _ in }) -> [String: JSONValue] {
        claims { claims in
            claims["iss"] = "events"
            claims["sub"] = "events"
            claims["role"] = "service"
            claims["exp"] = .integer(clock.seconds + 60)
            change(&claims)
        }
    }

    /// A hand-made token, so that it can be wrong in any way.
    func token(
        _ claims: [String: JSONValue], key: KeyFile? = nil,
        header change: (inout [String: JSONValue]) -> Void = { _ in }
    ) throws -> String {
        let key = key ?? people
        var header: [String: JSONValue] = ["alg": "EdDSA", "typ": "JWT", "kid": .string(key.kid)]
        change(&header)
        let signed = try "\(part(header)).\(part(claims))"
        return try "\(signed).\(Base64URL.encode(key.key.signature(for: Data(signed.utf8))))"
    }

    func part(_ object: [String: JSONValue]) throws -> String { try Base64URL.encode(JSONEncoder().encode(object)) }
}

extension JSONValue: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
}

extension IdentityFixture {
    final class Clock: Sendable {
        private let time = Mutex(Timestamp(microseconds: 1_800_000_000_000_000))

        var seconds: Int { Int(time.withLock { $0.microseconds } / 1_000_000) }
        var read: @Sendable () -> Timestamp { { self.time.withLock { $0 } } }

        func advance(_ duration: Duration) {
            time.withLock { $0 = $0.advanced(by: duration) }
        }
    }

    final class Log: LogHandler, Sendable {
        private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            let text = "\(event.message) \(event.metadata ?? [:])"
            lines.withLock { $0.append((event.level, text)) }
        }

        func texts(_ level: Logger.Level) -> [String] { lines.withLock { $0.filter { $0.level == level }.map(\.text) } }
        var all: String { lines.withLock { $0.map(\.text).joined(separator: "\n") } }
    }
}
