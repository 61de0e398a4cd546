import ClubProtocol
import FoundationEssentials
import ServiceKit

extension Benchmark {
    /// Checks a token that was not seen before, with its signature.
    static let newToken = Benchmark(name: "token-new") {
        // Two tokens and a memory of one: each evicts the other.
        let (verifier, tokens) = try issue(2, remembering: 1)
        return { try tokens.reduce(0) { $0 + (try verifier.verify(authorization: $1).subject.utf8.count) } }
    }

    /// Checks a token that was seen before.
    static let knownToken = Benchmark(name: "token-known") {
        let (verifier, tokens) = try issue(1, remembering: 10_000)
        return { try verifier.verify(authorization: tokens[0]).subject.utf8.count }
    }

    /// Header fields with tokens, and a verifier that trusts their key.
    private static func issue(_ count: Int, remembering capacity: Int) throws -> (TokenVerifier, [String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "trust.json").path
        let key = try KeyFile.generate(kid: "people")
        try TrustFile(keys: [TrustFile.Key(key, speaksFor: [.people])]).write(to: path)
        let tokens = try (0..<count).map { _ in
            "Bearer " + (try TokenSigner.personToken(key: key, subject: "claire", role: .editor, ttl: .seconds(3600)))
        }
        return (try TokenVerifier(trustFile: path, audience: .directory, capacity: capacity), tokens)
    }
}
