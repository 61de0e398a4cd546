import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

/// What PostgreSQL logs about us.
@Suite("the log of PostgreSQL", .serialized)
struct ServerLogTests {
    @Test("creating the roles, migrating every service twice and running it leaves no warning in the log")
    func quiet() async throws {
        try await TestCluster.private(logging: true) { cluster in
            try TestRoles.deploy(on: cluster)
            try TestRoles.deploy(on: cluster)
            try await TestClub.run(on: cluster) { club in
                for service in ServiceName.allCases {
                    let migrated = try await Executable(service.rawValue).run(
                        ["migrate"], environment: ["MIGRATE_DATABASE_URL": club.database.url(as: TestRoles.migrator)])
                    #expect(migrated.status == 0, "\(migrated.errors)")
                }
                _ = try await club.client(.directory).send(
                    CreateOrganization.request(body: .init(kind: .institution, name: "Chambre")))
                let lines = try cluster.log().split(separator: "\n").filter { $0.contains("WARNING:") }
                #expect(lines.isEmpty, "\(lines)")
            }
        }
    }
}
