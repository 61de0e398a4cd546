import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("cancelled contributions")
struct CancellationTests {
    private let thisYear = Day.today.year

    @Test("a cancelled contribution keeps its number and is no longer owed, and its member can be called again")
    func cancelled() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let member = try await directory.member("Alpha")
            let wrong = try await called(directory)
            let path = wrong.id
            let cancelled = try await operating.send(
                CancelContribution.request(path: path, body: .init(reason: "Appelée à tort")))
            #expect(cancelled.state == .cancelled && cancelled.number == 1 && cancelled.version == 2)
            #expect(cancelled.cancelledOn == .today && cancelled.cancellationReason == "Appelée à tort")
            #expect(try await operating.send(GetContribution.request(path: path)) == cancelled)
            let standing = try await operating.send(
                GetStanding.request(
                    path: member.id, query: .init(asOf: Day.today.adding(days: 1))))
            #expect(standing.status != .late && standing.owed == Money(cents: 0))
            for state in Contribution.State.allCases {
                let list = try await operating.send(ListContributions.request(query: .init(.init(state: state))))
                #expect(list.items == (state == .cancelled ? [cancelled] : []), "\(state)")
            }

            let again = try await cancel(wrong, directory)
            #expect(again.status == 409)
            #expect(try again.problem().slug == "contribution-cancelled")
            let payment = try await pay(wrong, 1, directory)
            #expect(payment.status == 409)
            #expect(try payment.problem().slug == "contribution-cancelled")

            let anew = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            #expect(anew.called == 1 && anew.total == 2)
            let list = try await operating.send(ListContributions.request(query: .init(.init(organization: member.id))))
            #expect(list.items.map(\.number) == [2, 1] && list.items.map(\.state) == [.due, .cancelled])
            #expect(try await operating.send(CallContributions.request(body: .init(year: thisYear))).called == 0)
        }
    }

    @Test("a paid contribution is not cancelled before the money was returned, even with concurrent payments")
    func paid() async throws {
        try await withDirectory { directory in
            _ = try await directory.member("Alpha")
            let contribution = try await called(directory)
            #expect(try await pay(contribution, 50_000, directory).status == 201)
            let refused = try await cancel(contribution, directory)
            #expect(refused.status == 409)
            #expect(try refused.problem().slug == "contribution-paid")
            // A payment in progress: the cancellation waits, and is refused.
            #expect(try await pay(contribution, -50_000, directory).status == 201)
            let cancelling = try await directory.database.withClient(searchPath: "directory") { client in
                try await client.transaction { transaction in
                    try await transaction.execute(
                        """
                        insert into payment (id, contribution, amount, paid_on)
                        values (gen_random_uuid(), \(contribution.id), 1, now())
                        """)
                    let cancelling = Task { try await cancel(contribution, directory) }
                    try await directory.database.untilWaiting()
                    return cancelling
                }
            }
            #expect(try await cancelling.value.status == 409)
            #expect(try await pay(contribution, -1, directory).status == 201)
            #expect(try await cancel(contribution, directory).status == 200)
        }
    }

    @Test("a missing reason, an unknown contribution, and any caller but the staff are refused")
    func refused() async throws {
        try await withDirectory { directory in
            let member = try await directory.member("Alpha")
            let contribution = try await called(directory)
            let path = "/v1/contributions/\(contribution.id)/cancellation"
            #expect(try await directory.ask(.post, path, json: "{}").pointer() == "/reason")
            let nowhere = "/v1/contributions/\(Contribution.ID())/cancellation"
            #expect(try await directory.ask(.post, nowhere, json: #"{"reason":"x"}"#).status == 404)
            let own = try await directory.ask(
                .post, path, as: .representative, organization: member.id, json: #"{"reason":"x"}"#)
            #expect(own.status == 403)
        }
    }

    @Test("two organizations with contributions for the same year can merge if one is cancelled")
    func merged() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let own = try await directory.member("Alpha")
            let other = try await directory.organization("Alfa")
            let year = thisYear
            _ = try await called(directory)
            _ = try await directory.membership(other.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            // As if it had been called for the wrong year, before the database refused that.
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute("alter table contribution disable trigger contribution_membership_days")
                _ = try await client.execute(
                    """
                    insert into contribution (id, organization, membership, year, number, amount, called_on, due_on)
                    select gen_random_uuid(), organization, id, \(year)::integer, 2, 120000, now(), now()
                    from membership where organization = \(other.id)
                    """)
                _ = try await client.execute("alter table contribution enable trigger contribution_membership_days")
            }
            await #expect(throws: ServiceClientError.self) {
                _ = try await directory.merge(other.id.record, into: own.id.record, .organization)
            }
            let list = try await operating.send(ListContributions.request(query: .init(.init(organization: other.id))))
            #expect(try await cancel(try #require(list.items.first), directory).status == 200)
            let merge = try await directory.merge(other.id.record, into: own.id.record, .organization)
            let moved = try await operating.send(ListContributions.request(query: .init(.init(organization: own.id))))
            #expect(Set(moved.items.map(\.state)) == [.due, .cancelled])
            _ = try await directory.undo(merge)
            let back = try await operating.send(ListContributions.request(query: .init(.init(organization: other.id))))
            #expect(back.items.map(\.state) == [.cancelled])
        }
    }

    private func called(_ directory: TestService) async throws -> Contribution {
        let operating = try directory.client(.operator)
        _ = try await operating.send(CallContributions.request(body: .init(year: thisYear, dueOn: .today)))
        return try #require(try await operating.send(ListContributions.request(query: .init())).items.first)
    }

    private func cancel(_ contribution: Contribution, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(
            .post, "/v1/contributions/\(contribution.id)/cancellation", json: #"{"reason":"Appelée à tort"}"#)
    }

    private func pay(_ contribution: Contribution, _ cents: Int, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(
            .post, "/v1/contributions/\(contribution.id)/payments",
            json: #"{"amount":{"amount":\#(cents),"currency":"EUR"},"paidOn":"\#(Day.today)"}"#)
    }
}
