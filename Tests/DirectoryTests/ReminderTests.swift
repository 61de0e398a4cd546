import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("letters about contributions", .serialized)
struct ReminderTests {
    @Test("the call, and reminders a week before and fifteen and thirty days after: each once, until it is paid")
    func steps() async throws {
        try await withNetwork(replicas: 2) { network in
            let directory = network.directory
            let member = try await directory.member("Chambre & Cie")
            try await network.change("update organization set email = 'contact@chambre.example'")
            _ = try await directory.client(.operator).send(
                CallContributions.request(body: .init(year: Day.today.year, dueOn: Day.today.adding(days: 30))))
            var subjects: [String] = []
            for (days, subject) in [
                (30, "Votre cotisation au Club"), (8, nil), (7, "Votre cotisation\u{A0}: dernier jour le"), (0, nil),
                (-1, nil), (-14, nil), (-15, "Rappel\u{A0}: votre cotisation au Club"), (-29, nil),
                (-30, "Dernier rappel\u{A0}: votre cotisation au Club"), (-59, nil), (-90, nil),
            ] as [(Int, String?)] {
                try await network.change(
                    """
                    update contribution set called_on = called_on - 400,
                        due_on = (now() at time zone 'Europe/Paris')::date + \(days)::integer
                    """)
                let asked = try await remind(network)
                #expect(asked == (subject == nil ? 0 : 1), "due in \(days) days")
                if let subject { subjects.append(subject) }
                let mails = try await network.mails(subjects.count)
                #expect(mails.count == subjects.count)
                #expect(mails.last?.subject.hasPrefix(subjects.last ?? "") == true)
            }
            let mails = try await network.mails(4)
            #expect(mails.allSatisfy { $0.recipient == "contact@chambre.example" })
            #expect(
                mails.allSatisfy { $0.text.contains("1\u{202F}200,00\u{A0}€") && $0.text.contains("Chambre & Cie") })
            _ = member
        }
    }

    @Test(
        "a paid member gets no reminder, and mail to one without an address goes to its titular representative")
    func paid() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let payer = try await directory.member("Alpha")
            let owing = try await directory.member("Bêta")
            _ = try await directory.member("Gamma")
            let ana = try await directory.person("Ana", "A", email: "ana@beta.example")
            _ = try await operating.send(
                CreateMandate.request(
                    path: owing.id,
                    body: .init(person: ana.id, kind: .titular, from: Day.today.adding(days: -10))))
            try await network.change("update organization set email = 'a@alpha.example' where id = \(payer.id)")
            _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
            let list = try await operating.send(ListContributions.request(query: .init(.init(organization: payer.id))))
            let contribution = try #require(list.items.first)
            _ = try await operating.send(
                CreatePayment.request(
                    path: contribution.id, body: .init(amount: contribution.amount, paidOn: .today)
                ))
            let asked = try await operating.send(SendContributionReminders.request())
            #expect(asked == ContributionReminders(letters: 1, withoutAddress: 1))
            // Alpha's receipt, and the call to Bêta's titular representative.
            let mails = try await network.mails(2)
            #expect(Set(mails.map(\.recipient)) == ["a@alpha.example", "ana@beta.example"])
            try await network.idle()
            #expect(try await network.mails(2).count == 2)
        }
    }

    @Test("the call and the receipt go to accounting, if an organization has such a mailbox")
    func accounting() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let member = try await directory.member("Alpha")
            let changed = try await directory.ask(
                .patch, "/v1/organizations/\(member.id)", ifMatch: member.version,
                json: #"{"email":"a@alpha.example","mailboxes":[{"role":"accounting","email":"compta@alpha.example"}]}"#
            )
            #expect(changed.status == 200)
            _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
            #expect(try await remind(network) == 1)
            let list = try await operating.send(ListContributions.request(query: .init(.init(organization: member.id))))
            let contribution = try #require(list.items.first)
            _ = try await operating.send(
                CreatePayment.request(
                    path: contribution.id, body: .init(amount: contribution.amount, paidOn: .today)
                ))
            let mails = try await network.mails(2)
            #expect(mails.map(\.recipient) == ["compta@alpha.example", "compta@alpha.example"])
            #expect(Set(mails.map(\.subject)).count == 2)
        }
    }

    @Test("due and sent letters are listed, with members without address; a letter says how and until when to pay")
    func list() async throws {
        try await withNetwork(paymentDetails: "IBAN : FR76 3000 6000 0112 3456 7890 189") { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let (alpha, beta) = (try await directory.member("Alpha"), try await directory.member("Bêta"))
            let cancelled = try await directory.member("Gamma")
            try await network.change(
                "update organization set email = 'contact@alpha.example' where id <> \(beta.id)")
            let dueOn = Day.today.adding(days: 30)
            _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year, dueOn: dueOn)))
            let wrong = try await operating.send(
                ListContributions.request(query: .init(.init(organization: cancelled.id))))
            _ = try await operating.send(
                CancelContribution.request(
                    path: try #require(wrong.items.first).id, body: .init(reason: "Appelée à tort")
                ))
            func list(
                _ state: ContributionReminder.State? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
            ) async throws -> Page<ContributionReminder> {
                try await operating.send(
                    ListContributionReminders.request(query: .init(.init(state: state), limit: limit, cursor: cursor)))
            }
            let due = try await list().items
            #expect(due.map(\.organization) == [beta.id, alpha.id] && due.map(\.hasAddress) == [false, true])
            #expect(due.allSatisfy { $0.state == .due && $0.step == .called && $0.days == 30 && $0.dueOn == dueOn })
            #expect(due.allSatisfy { $0.owed == Money(cents: 120_000) && $0.askedAt == nil && $0.sentAt == nil })

            #expect(
                try await operating.send(SendContributionReminders.request())
                    == ContributionReminders(letters: 1, withoutAddress: 1))
            let mail = try #require(try await network.mails(1).first)
            #expect(mail.text.contains("IBAN : FR76 3000 6000 0112 3456 7890 189"))
            #expect(mail.text.contains("à régler au plus tard le \(FrenchFormat.day(dueOn))"))
            try await network.idle()
            #expect(try await list(.due).items.map(\.organization) == [beta.id])
            #expect(try await list(.asked).items.isEmpty)
            let sent = try await list(.sent).items
            #expect(sent.map(\.organization) == [alpha.id] && sent.first?.sentAt != nil)
            let all = try await list().items
            #expect(all.map(\.state) == [.due, .sent])
            let first = try await list(limit: 1)
            let second = try await list(limit: 1, cursor: first.next)
            #expect(first.items + second.items == all && second.next == nil)
            let outside = try await directory.ask(
                "/v1/contribution-reminders", as: .representative, organization: alpha.id)
            #expect(outside.status == 403)
        }
    }

    private func remind(_ network: Network) async throws -> Int {
        let clients = try network.services.all(.directory).map { try $0.client(.operator) }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<4 {
                group.addTask {
                    try await clients[number % clients.count].send(SendContributionReminders.request()).letters
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
