import ClubProtocol
import Foundation
import ServiceKit
import TestKit

@testable import Content

/// The content service, and the mails that it sends.
enum LetterRig {
    /// - Parameter url: of the mail server; by default a Maildir, whose path `body` gets.
    static func run(
        replicas: Int = 1, mail url: String? = nil, publicURL: String? = nil,
        _ body: (TestServices, String) async throws -> Void
    ) async throws {
        let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: mail) }
        try await withServices(
            Array(repeating: ContentApplication.self, count: replicas),
            peers: [.directory: "http://127.0.0.1:9"],
            adjust: {
                $0.mailURL = url ?? "maildir:\(mail)"
                if let publicURL { $0.publicURL = publicURL }
            }
        ) { try await body($0, mail) }
    }

    /// The letter once it has ended; as it is after a quarter of a minute if it has not.
    static func ended(_ letter: Letter.ID, _ content: TestService) async throws -> Letter {
        let client = try content.client(.operator)
        for _ in 0..<600 {
            let now = try await client.send(GetLetter.request(path: letter))
            if now.state != .pending, now.state != .sending { return now }
            try await Task.sleep(for: .milliseconds(25))
        }
        return try await client.send(GetLetter.request(path: letter))
    }

    /// The texts of all mails in a Maildir.
    static func messages(in maildir: String) throws -> [String] {
        let folder = "\(maildir)/new"
        return try FileManager.default.contentsOfDirectory(atPath: folder).map {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")), as: UTF8.self)
        }
    }

    /// A letter with little in it.
    static func body(
        _ key: Line, _ purpose: Letter.Purpose = .notice, to email: EmailAddress = "zoe@agence.example",
        _ change: (inout SendLetter.Body) -> Void = { _ in }
    ) -> SendLetter.Body {
        var body = SendLetter.Body(key: key, purpose: purpose, email: email, subject: "Avis", paragraphs: ["Bonjour."])
        change(&body)
        return body
    }
}
