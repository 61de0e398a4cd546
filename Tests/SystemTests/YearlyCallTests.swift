import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

/// The yearly call, run by several processes at once.
@Suite("yearly call", .serialized)
struct YearlyCallTests {
    @Test("four processes call the same year at once: one contribution per member, numbers without a gap")
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
            let calls = try await withThrowingTaskGroup(of: ContributionCall.self) { group in
                for process in processes {
                    let client = try club.client(process)
                    for _ in 0..<3 {
                        group.addTask { try await client.send(CallContributions.request(body: .init(year: year))) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(calls.reduce(0) { $0 + $1.called } == members)
            #expect(calls.map(\.total).max() == members)
            let numbers = try await club.database.withClient { client in
                try await client.query("select number from directory.contribution order by number").map {
                    try $0["number", as: Int.self]
                }
            }
            #expect(numbers == Array(1...members))
        }
    }
}
