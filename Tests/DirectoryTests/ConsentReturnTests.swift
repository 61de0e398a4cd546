import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// A time after every answer that the test has given until now, as they follow each other.
private func later(_ seconds: Int = 0) -> Timestamp { .now.advanced(by: .seconds(seconds)) }

extension Suppression.Purpose {
    fileprivate func answer(in consents: Consents) -> Consent? {
        switch self {
        case .flashInfo: consents.flashInfo
        case .eventInvitations: consents.eventInvitations
        }
    }

    fileprivate var consent: ClubProtocol.Purpose { self == .flashInfo ? .flashInfo : .eventInvitations }
}

@Suite("returning by the link of a mail")
struct ConsentReturnTests {
    private static let email: EmailAddress = "contact@atelier.example"

    private func follow(_ changes: [Change], _ directory: TestService) async throws {
        try await directory.backend.database.transaction { try await Unsubscriptions.apply(changes, $0) }
    }

    private func expert(_ directory: TestService) async throws -> Expert {
        try await directory.expert("Atelier") {
            $0.email = "Contact@atelier.example"
            $0.consents = .init(flashInfo: true, eventInvitations: true)
        }
    }

    private func get(_ expert: Expert, _ directory: TestService) async throws -> Expert {
        try await directory.client(.operator).send(GetExpert.request(path: expert.id))
    }

    private func ledger(
        _ expert: Expert, _ directory: TestService, _ purpose: Suppression.Purpose = .flashInfo
    ) async throws -> [ConsentEntry] {
        try await directory.client(.operator).send(
            ListExpertConsents.request(
                path: expert.id, query: .init(.init(purpose: purpose.consent)), body: Empty())
        ).items
    }

    private func declined(_ directory: TestService) async throws -> [String] {
        try await directory.backend.database.query("select purpose from declined_address").map { try $0["purpose"] }
    }

    @Test(
        "the ledger records it as it does the leaving, for this purpose only; the feed read again changes nothing",
        arguments: Suppression.Purpose.allCases)
    func returned(purpose: Suppression.Purpose) async throws {
        try await withDirectory { directory in
            let expert = try await expert(directory)
            let person = try await directory.person(
                "Ana", "Ader", email: Self.email, consents: .init(flashInfo: true, eventInvitations: true))
            let (leftAt, returnedAt) = (later(), later(5))
            let other = Suppression.Purpose.allCases.first { $0 != purpose } ?? purpose
            let leaving = try Change.left(Self.email, purpose, at: leftAt)
            try await follow([leaving], directory)
            let left = try await get(expert, directory)
            #expect(purpose.answer(in: left.consents)?.agreed == false && left.version == 2)
            #expect(other.answer(in: left.consents) == other.answer(in: expert.consents))
            #expect(try await declined(directory) == [purpose.rawValue])

            let id = try Suppression.ID(validating: leaving.id)
            let returning = [
                try Change.lifted(id), try .returned(Self.email, purpose, leftAt: leftAt, at: returnedAt),
            ]
            try await follow(returning, directory)
            let now = try await get(expert, directory)
            #expect(purpose.answer(in: now.consents)?.agreed == true && now.version == 3)
            #expect(purpose.answer(in: now.consents)?.at == returnedAt)
            #expect(other.answer(in: now.consents) == other.answer(in: expert.consents))
            #expect(try await ledger(expert, directory, other).count == 1)
            let back = try await directory.person(person.id)
            #expect(purpose.answer(in: back.consents)?.at == returnedAt && back.version == 3)
            let lines = try await ledger(expert, directory, purpose)
            let line = try #require(lines.first)
            #expect(lines.map(\.agreed) == [true, false, true])
            #expect(line.source == .own && line.by == "content" && line.at == returnedAt)
            #expect(line.wording?.text.contains("Recevoir de nouveau") == true)
            #expect(try await declined(directory) == [])
            let journal = try await directory.backend.database.query(
                "select actor from audit where entity = 'expert' and action = 'changed' order by id"
            ).map { try $0["actor", as: String.self] }
            #expect(journal == ["content", "content"])

            // Also a change that is told late, or with what the suppression contained then.
            for changes in [[leaving] + returning, returning, [leaving]] {
                try await follow(changes, directory)
                #expect(try await get(expert, directory) == now)
            }
            #expect(try await ledger(expert, directory, purpose) == lines)
            // They leave again.
            try await follow([try .left(Self.email, purpose, at: later(10))] + returning, directory)
            #expect(try await ledger(expert, directory, purpose).map(\.agreed) == [false, true, false, true])
        }
    }

    @Test("who left and returned before the directory heard of it has both in the ledger")
    func atOnce() async throws {
        try await withDirectory { directory in
            let expert = try await expert(directory)
            let (leftAt, returnedAt) = (later(), later(5))
            try await follow(
                [try .returned(Self.email, .flashInfo, leftAt: leftAt, at: returnedAt)], directory)
            let lines = try await ledger(expert, directory)
            #expect(lines.map(\.agreed) == [true, false, true] && lines.map(\.at).prefix(2) == [returnedAt, leftAt])
        }
    }

    @Test("who used the link twice, as a mail program and its user do, returns all the same")
    func twice() async throws {
        try await withDirectory { directory in
            let expert = try await expert(directory)
            let again = later(5)
            try await follow([try .left(Self.email, .flashInfo, at: later())], directory)
            try await follow([try .left(Self.email, .flashInfo, at: again)], directory)
            try await follow([try .returned(Self.email, .flashInfo, leftAt: again, at: later(10))], directory)
            #expect(try await ledger(expert, directory).map(\.agreed) == [true, false, true])
        }
    }

    enum Since: String, CaseIterable {
        case saidNo, hadSaidNo, answeredLater, leftAgain, moved, leftElsewhere, taken
    }

    @Test(
        "it gives back nothing but what was left at this address, by the link, as the last word",
        arguments: Since.allCases)
    func since(what: Since) async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let expert = try await expert(directory)
            func answer(_ agreed: Bool) async throws {
                _ = try await operating.send(
                    AddExpertConsent.request(path: expert.id, body: .init(purpose: .flashInfo, agreed: agreed)))
            }
            func move(to email: EmailAddress) async throws {
                let version = try await get(expert, directory).version
                _ = try await operating.send(
                    ChangeExpert.request(path: expert.id, body: .init(email: .some(email)), ifMatch: version))
            }
            if what == .hadSaidNo { try await answer(false) }
            var leftAt = later()
            try await follow([try .left(Self.email, .flashInfo, at: leftAt)], directory)
            var returnedAt = later(60)
            switch what {
            case .hadSaidNo: break
            case .saidNo:
                try await answer(true)
                try await answer(false)
            case .answeredLater:
                returnedAt = later()
                try await answer(true)
                try await answer(false)
            case .leftAgain:
                try await answer(true)
                returnedAt = later()
                try await follow([try .left(Self.email, .flashInfo, at: later(1))], directory)
            case .moved: try await move(to: "neuf@atelier.example")
            case .leftElsewhere:
                // Another mail, at an address that is the expert's only since.
                try await move(to: "neuf@atelier.example")
                leftAt = later()
            case .taken:
                // Someone else's no, at the same address now.
                try await move(to: "neuf@atelier.example")
                let other = try await directory.expert("Autre") {
                    $0.email = Self.email
                    $0.consents = .init(flashInfo: false)
                }
                try await follow(
                    [try .returned(Self.email, .flashInfo, leftAt: leftAt, at: returnedAt)], directory)
                #expect(try await ledger(other, directory).map(\.agreed) == [false])
            }
            let email = what == .leftElsewhere ? "neuf@atelier.example" : Self.email
            let before = try await get(expert, directory)
            try await follow([try .returned(email, .flashInfo, leftAt: leftAt, at: returnedAt)], directory)
            #expect(try await get(expert, directory) == before)
            #expect(before.consents.flashInfo?.agreed == false)
        }
    }
}
