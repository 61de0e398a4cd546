import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

/// The yearly call, run by several processes at once.
@Suite("yearly call", .serialized)
struct YearlyCallTests {
    @Test("four processes call the same year at once: one contribution per member, numbers without gaps")
    func fourAtOnce() async throws {
        try await TestClub.run([.directory], replicas: [.directory, .directory, .directory]) { club in
            let year = Day.today.year
            let members = 200
            let directory = try club.client(.directory)
            for number in 1...members {
                let organization = try await directory.send(
                    CreateOrganization.request(
                        body: .init(kind: .institution, name: Line(validating: "Membre \(number)"))))
                _ = try await directory.send(
                    CreateMembership.request(
                        body: .init(
                            organization: organization.id, tier: "standard", from: Day(validating: "\(year)-01-01"),
                            until: Day(validating: "\(year)-12-31"))))
            }
            let processes = club.processes(of: .directory)
            #expect(processes.count == 4)
            let clients = try processes.flatMap { Array(repeating: try club.client($0), count: 3) }
            let calls = try await club.database.withClient(searchPath: "directory") { client in
                try await client.execute("insert into contribution_counter (year) values (\(year))")
                // All have started, and wait for the year's counter, before the first of them gets it.
                let calling = try await client.transaction { transaction in
                    try await transaction.execute("select from contribution_counter where year = \(year) for update")
                    let calling = Task {
                        try await withThrowingTaskGroup(of: ContributionCall.self) { group in
                            for client in clients {
                                group.addTask {
                                    try await client.send(CallContributions.request(body: .init(year: year)))
                                }
                            }
                            return try await group.reduce(into: [ContributionCall]()) { $0.append($1) }
                        }
                    }
                    try await club.database.untilWaiting(clients.count)
                    return calling
                }
                return try await calling.value
            }
            #expect(calls.reduce(0) { $0 + $1.called } == members)
            #expect(calls.map(\.total).max() == members)
            let contributions = try await club.database.withClient(searchPath: "directory") { client in
                try await client.query("select number, organization from contribution order by number").map {
                    (
                        number: try $0["number", as: Int.self],
                        organization: try $0["organization", as: Organization.ID.self]
                    )
                }
            }
            #expect(contributions.map(\.number) == Array(1...members))
            #expect(Set(contributions.map(\.organization)).count == members)
        }
    }
}
