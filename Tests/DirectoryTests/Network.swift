import ClubProtocol
import Content
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The directory with a content service beside it, and the resulting mails.
struct Network {
    let services: TestServices
    let mail: String

    var directory: TestService { services[.directory] }

    /// Every mail, once there are `count`.
    func mails(_ count: Int) async throws -> [CaughtMail] { try await CaughtMail.wait(for: count, in: mail) }

    /// Waits until no job of these kinds is left, so that what has not been mailed by then never will be.
    func idle() async throws {
        for _ in 0..<600 {
            let jobs = try await services.database.withClient { client in
                try await client.first(
                    """
                    select (select count(*) from directory.job where kind not like 'schedule.%')
                        + (select count(*) from content.job where kind = 'letter.send' and due_at <= now()) as count
                    """)?["count", as: Int.self] ?? -1
            }
            if jobs == 0 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Testing.Issue.record("jobs are left after half a minute")
    }

    /// Changes facts without the API, to simulate the passage of time.
    func change(_ statement: SQL) async throws {
        try await services.database.withClient(searchPath: "directory") { client in
            _ = try await client.execute(statement)
        }
    }

    func post(_ path: String, _ form: String = "") async throws -> RawAnswer {
        try await directory.raw(
            .post, path, headers: ["Content-Type": "application/x-www-form-urlencoded"], body: Array(form.utf8))
    }
}

/// - Parameter paymentDetails: the payment instructions in letters.
func withNetwork(
    replicas: Int = 1, paymentDetails: String? = nil, _ body: (Network) async throws -> Void
) async throws {
    let mail = NSTemporaryDirectory() + "mail-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: mail) }
    let applications: [any ServiceApplication.Type] =
        Array(repeating: DirectoryApplication.self, count: replicas) + [ContentApplication.self]
    func adjust(_ configuration: inout ServiceConfiguration) {
        configuration.mailURL = "maildir:\(mail)"
        configuration.paymentDetails = paymentDetails
    }
    try await withServices(applications, adjust: adjust) { services in
        try await body(Network(services: services, mail: mail))
    }
}
