import ClubProtocol
import CommandKit
import ServiceKit

/// The yearly call for contributions, and the first payments.
struct DemoContributions: Sendable {
    let directory: ServiceClient

    func call() async throws -> Demo.Outcome {
        let year = Day.today.year
        let call = try await directory.send(CallContributions.request(body: .init(year: year)))
        let unpaid: [Contribution] = try await directory.all(ListContributions.self) {
            ListContributions.request(query: .init(.init(year: year, state: .due), limit: 200, cursor: $0))
        }
        // Every other member pays at once.
        let payers = unpaid.filter { !$0.number.isMultiple(of: 2) }
        try await forEach(payers, width: 8) { contribution in
            _ = try await directory.send(
                CreatePayment.request(
                    path: contribution.id,
                    body: .init(
                        amount: contribution.amount, paidOn: .today, means: .transfer,
                        reference: Line(validating: "VIR \(year)-\(contribution.number)")),
                    idempotencyKey: "demo-\(contribution.id)"))
        }
        let late: [MemberStanding] = try await directory.all(ListMembers.self) {
            ListMembers.request(query: .init(.init(status: .late), limit: 200, cursor: $0))
        }
        return "\(call.called) called for \(year), \(call.total) in all; \(payers.count) paid, \(late.count) are late"
    }
}
