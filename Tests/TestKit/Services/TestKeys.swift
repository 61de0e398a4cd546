package import ClubProtocol
import Foundation
import ServiceKit

/// The keys of one club, in a folder that is deleted with this object.
package final class TestKeys: Sendable {
    package let directory: String
    package let trustFile: String
    /// Who sends mails, as `SENDER_FILE` names it.
    package let senderFile: String
    private let people: KeyFile

    /// Creates a key for people's tokens, one for each service, and a trust file with them.
    package init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        trustFile = "\(directory)/trust.json"
        people = try KeyFile.generate(kid: "operator")
        var trusted = [TrustFile.Key(people, speaksFor: [.people])]
        for name in ServiceName.allCases {
            let key = try KeyFile.generate(kid: name.rawValue)
            try key.write(to: "\(directory)/\(name.rawValue).json")
            trusted.append(TrustFile.Key(key, speaksFor: [.service(name)]))
        }
        try TrustFile(keys: trusted).write(to: trustFile)
        senderFile = try SenderFile.write(in: directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The path of a service's private key.
    package func signingKeyFile(of name: ServiceName) -> String { "\(directory)/\(name.rawValue).json" }

    /// A token for a person. The role `service` has no person: then it is a token of `as`, as that service would sign
    /// it.
    package func token(
        _ role: Role, subject: String = "test", organization: Organization.ID? = nil, person: Person.ID? = nil,
        as service: ServiceName = .events, for audience: ServiceName, ttl: Duration = .seconds(600)
    ) throws -> String {
        guard role == .service else {
            return try TokenSigner.personToken(
                key: people, subject: subject, role: role, organization: organization, person: person, ttl: ttl)
        }
        return try TokenSigner(keyFile: signingKeyFile(of: service), name: service).token(for: audience)
    }
}
