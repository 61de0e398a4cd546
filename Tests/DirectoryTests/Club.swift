import ClubProtocol
import Foundation
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Runs the directory on a database of its own.
func withDirectory<T>(_ body: (TestService) async throws -> T) async throws -> T {
    try await withService(DirectoryApplication.self) { try await body($0) }
}

extension TestService {
    func organization(
        _ name: Line, kind: Organization.Kind = .institution, subKind: Organization.SubKind? = nil,
        postalCode: PostalCode? = nil, topics: [Topic] = []
    ) async throws -> Organization {
        try await client(.operator).send(
            CreateOrganization.request(
                body: .init(kind: kind, subKind: subKind, name: name, postalCode: postalCode, topics: topics)))
    }

    func person(
        _ givenName: Line, _ familyName: Line, email: EmailAddress? = nil, organization: Organization.ID? = nil,
        consents: ConsentChoices? = nil
    ) async throws -> Person {
        try await client(.operator).send(
            CreatePerson.request(
                body: .init(
                    givenName: givenName, familyName: familyName, email: email, organization: organization,
                    consents: consents)))
    }

    func expert(_ name: Line, change: (inout CreateExpert.Body) -> Void = { _ in }) async throws -> Expert {
        var body = CreateExpert.Body(subKind: .webAgency, name: name, postalCode: "64000", commune: "Pau")
        change(&body)
        return try await client(.operator).send(CreateExpert.request(body: body))
    }

    /// Sends a request as a caller with these claims.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, as role: Role = .operator,
        organization: Organization.ID? = nil, person: Person.ID? = nil, ifMatch: Int? = nil, json: String? = nil
    ) async throws -> RawAnswer {
        let token = try token(role, organization: organization, person: person)
        var headers = ["Authorization": "Bearer \(token)"]
        if let ifMatch { headers["If-Match"] = "\"\(ifMatch)\"" }
        if method == .patch || method == .post { headers["Content-Type"] = "application/json" }
        return try await raw(method, path, headers: headers, body: json.map { Array($0.utf8) })
    }

    func ask(
        _ path: String, as role: Role = .operator, organization: Organization.ID? = nil, person: Person.ID? = nil
    ) async throws -> RawAnswer {
        try await ask(.get, path, as: role, organization: organization, person: person)
    }

    /// Imports a file.
    func imports(_ file: [UInt8], _ query: String = "?mode=apply") async throws -> RawAnswer {
        try await raw(
            .post, "/v1/imports/experts\(query)", role: .operator, headers: ["Content-Type": "text/csv"], body: file)
    }

    /// The feed from its beginning, once it has `count` changes. Other tests' transactions on the same cluster may
    /// delay it: a change is shown when all older transactions have ended.
    func changes(_ count: Int) async throws -> ChangeBatch {
        let client = try client(.service)
        for _ in 1...600 {
            let batch = try await client.send(ReadChanges.request(query: .init()))
            if batch.items.count >= count { return batch }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await client.send(ReadChanges.request(query: .init()))
    }

    func report(_ file: String, _ query: String = "?mode=apply") async throws -> ImportReport {
        try await imports(Array(file.utf8), query).decode(ImportReport.self)
    }
}

extension RawAnswer {
    /// The values of a key in the items of a page.
    func items(_ key: String) throws -> [String] {
        try (json()["items"]?.array ?? []).compactMap { $0[key]?.string }
    }

    /// The pointer of the first field that a problem names.
    func pointer() throws -> String? { try problem().errors?.first?.pointer }
}

/// The files that the project is tested with; absent on most machines.
enum SharedData {
    static let folder: URL = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.deletingLastPathComponent().appendingPathComponent("shared/data")
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder.path) }
    static let absent: Comment = "../shared/data is not on this machine"

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }

    static func files(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(path).path)
            .filter { $0.hasSuffix(".csv") }.sorted()
    }
}
