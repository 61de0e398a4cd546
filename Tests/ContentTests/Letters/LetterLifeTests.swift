import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("letters that wait, are asked back or have their time", .serialized)
struct LetterLifeTests {
    @Test("a letter is not sent before its time, and then at once")
    func notBefore() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.service)
            let time = Timestamp.now.advanced(by: .seconds(2))
            let letter = try await client.send(
                SendLetter.request(body: LetterRig.body("rappel", .reminder) { $0.notBefore = time }))
            let past = try await client.send(
                SendLetter.request(
                    body: LetterRig.body("tout de suite", .reminder) { $0.notBefore = time.advanced(by: .seconds(-60)) }
                ))
            #expect(letter.state == .pending && letter.notBefore == time)
            #expect(try await LetterRig.ended(past.id, services[.content]).state == .sent)
            let waiting = try await services[.content].client(.operator).send(GetLetter.request(path: letter.id))
            #expect(waiting.state == .pending)
            let sent = try await LetterRig.ended(letter.id, services[.content])
            #expect(sent.state == .sent && sent.updatedAt >= time)
            // Looking is due when the letter is, not at the next poll after that.
            #expect(sent.updatedAt < time.advanced(by: .seconds(2)))
            #expect(try CaughtMail.all(in: mail).count == 2)
        }
    }

    @Test("a reminder that could not be sent in its time expires")
    func expired() async throws {
        let port = try FreePort.next()
        try await LetterRig.run(mail: "smtp://127.0.0.1:\(port)?starttls=never") { services, _ in
            let client = try services[.content].client(.service)
            let letter = try await client.send(
                SendLetter.request(
                    body: LetterRig.body("rappel", .reminder) { $0.expiresAt = .now.advanced(by: .seconds(1)) }))
            let expired = try await LetterRig.ended(letter.id, services[.content])
            #expect(expired.state == .expired && expired.attempts == 0)
            #expect(expired.reply?.contains("not accepted within its time") == true)
            #expect(try await states("rappel", in: services) == [.expired, .expired])
            // It is too late for the key, too: the same request says so by its letter.
            let again = try await client.exchange(
                SendLetter.request(
                    body: LetterRig.body("rappel", .reminder) { $0.expiresAt = .now.advanced(by: .seconds(-1)) }))
            #expect(again.status == .ok && again.value.state == .expired)
        }
    }

    @Test("a letter is tried for 72 hours from its time, but not beyond its end")
    func deadline() async throws {
        try await LetterRig.run { services, _ in
            let client = try services[.content].client(.service)
            func hours(_ key: Line, _ change: (inout SendLetter.Body) -> Void) async throws -> Int {
                let letter = try await client.send(SendLetter.request(body: LetterRig.body(key, .reminder, change)))
                return try await services.database.withClient { database in
                    try await database.first(
                        """
                        select round(extract(epoch from deadline - now()) / 3600)::integer as hours
                        from content.outgoing_mail where id = \(letter.id)
                        """)?["hours"] ?? -1
                }
            }
            let (day, week) = (
                Timestamp.now.advanced(by: .seconds(86_400)), Timestamp.now.advanced(by: .seconds(604_800))
            )
            #expect(try await hours("a") { _ in } == 72)
            #expect(try await hours("b") { $0.notBefore = day } == 96)
            #expect(try await hours("c") { $0.expiresAt = day } == 24)
            #expect(try await hours("d") { ($0.notBefore, $0.expiresAt) = (day, week) } == 96)
        }
    }

    @Test("a letter that waits is asked back, once or twice; one that has gone is not")
    func cancelled() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.service)
            let later = try await client.send(
                SendLetter.request(
                    body: LetterRig.body("plus tard") { $0.notBefore = .now.advanced(by: .seconds(3600)) }))
            for _ in 0..<2 {
                let back = try await client.send(CancelLetter.request(path: later.id))
                #expect(back.id == later.id && back.state == .cancelled)
            }
            // One change, with who asked for it.
            let audited = try await services.database.withClient { database in
                try await database.query(
                    """
                    select actor from content.audit where entity = 'letter' and subject = \(later.id.text) and action = 'changed'
                    """
                ).map { try $0["actor", as: String.self] }
            }
            #expect(audited.count == 1 && audited != ["content"])
            let sent = try await client.send(SendLetter.request(body: LetterRig.body("parti")))
            #expect(try await LetterRig.ended(sent.id, services[.content]).state == .sent)
            let gone = try await services[.content].raw(.post, "/v1/letters/\(sent.id)/cancellation", role: .operator)
            #expect(try gone.problem().slug == ProblemType.letterGone.slug && gone.status == 409)
            let unknown = try await services[.content].raw(
                .post, "/v1/letters/\(Letter.ID())/cancellation", role: .operator)
            #expect(unknown.status == 404)
            #expect(try CaughtMail.all(in: mail).count == 1)
        }
    }

    @Test("a letter that a sender holds is asked back as long as its text has not begun", arguments: [false, true])
    func cancelledHeld(hasBegun: Bool) async throws {
        try await LetterRig.run { services, _ in
            let client = try services[.content].client(.service)
            let database = services[.content].backend.database
            let store = OutgoingMailStore(database: database)
            let sender = MailDispatcher.ID()
            let letter = try await client.send(
                SendLetter.request(
                    body: LetterRig.body("tenu") { $0.notBefore = .now.advanced(by: .seconds(3600)) }))
            try await database.execute(
                "update outgoing_mail set sender = \(sender), due_at = 'infinity' where id = \(letter.id)")
            let mail = MailMessage.ID(letter.id.uuid)
            if hasBegun { #expect(try await store.turn([], [.init(id: mail, attempt: 0)], by: sender) == [mail]) }
            let answer = try await services[.content].raw(
                .post, "/v1/letters/\(letter.id)/cancellation", role: .operator)
            #expect(answer.status == (hasBegun ? 409 : 200))
            #expect(try await store.turn([], [.init(id: mail, attempt: 0)], by: sender) == (hasBegun ? [mail] : []))
        }
    }

    @Test("letters that are asked back while they go out either went or did not")
    func cancelledAtOnce() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.service)
            let operating = try services[.content].client(.operator)
            let states = try await withThrowingTaskGroup(of: Letter.State.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let letter = try await client.send(
                            SendLetter.request(body: LetterRig.body(Line(validating: "course \(number)"))))
                        try await Task.sleep(for: .milliseconds(number))
                        let back = try? await client.send(CancelLetter.request(path: letter.id))
                        let ended = try await LetterRig.ended(letter.id, services[.content])
                        #expect((back == nil) == (ended.state == .sent))
                        return try await operating.send(GetLetter.request(path: letter.id)).state
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(states).isSubset(of: [.sent, .cancelled]))
            #expect(try CaughtMail.all(in: mail).count == states.count { $0 == .sent })
        }
    }

    @Test("who asked for a letter learns by the feed that it was taken, or came back; the audit chain holds")
    func feed() async throws {
        try await ScriptedMailServer.run { server in
            try await LetterRig.run(mail: "smtp://127.0.0.1:\(server.port)?starttls=never&connections=1") {
                services, _ in
                let client = try services[.content].client(.service)
                let taken = try await client.send(SendLetter.request(body: LetterRig.body("pris")))
                #expect(try await LetterRig.ended(taken.id, services[.content]).state == .sent)
                server.inject(.refuseRecipient("550 5.1.1 no such user"))
                let refused = try await client.send(SendLetter.request(body: LetterRig.body("revenu")))
                #expect(try await LetterRig.ended(refused.id, services[.content]).state == .failed)
                try await eventually("the feed says so") {
                    let seen = try await client.send(ReadChanges.request(query: .init())).items
                        .filter { $0.entity == .letter }
                    return seen.map(\.id) == [taken.id.text, taken.id.text, refused.id.text, refused.id.text]
                }
                #expect(try await states("pris", in: services) == [.sent, .sent])
                #expect(try await states("revenu", in: services) == [.failed, .failed])
                let verified = try await services[.content].client(.auditor).send(
                    VerifyAudit.request(body: .init()))
                #expect(verified.intact)
            }
        }
    }

    @Test("with one connection, a ticket goes before the invitations that were requested earlier")
    func order() async throws {
        let port = try FreePort.next()
        try await LetterRig.run(mail: "smtp://127.0.0.1:\(port)?starttls=never&connections=1") { services, _ in
            let client = try services[.content].client(.service)
            let letters = try (0..<50).map { number in
                LetterRig.body(
                    try Line(validating: "invitation \(number)"), .invitation,
                    to: try EmailAddress(validating: "invite\(number)@agence.example"))
            }
            _ = try await client.send(SendLetterBatch.request(body: .init(letters: letters)))
            _ = try await client.send(
                SendLetter.request(body: LetterRig.body("rappel", .reminder, to: "rappel@agence.example")))
            _ = try await client.send(
                SendLetter.request(body: LetterRig.body("billet", .ticket, to: "billet@agence.example")))
            try await ScriptedMailServer.run(port: port) { server in
                try await eventually("all letters are there") { server.accepted.count == 52 }
                #expect(
                    server.accepted.prefix(3).map(\.recipient)
                        == ["billet@agence.example", "rappel@agence.example", "invite0@agence.example"])
            }
        }
    }

    /// What the feed shows of a letter: its present state, with each of its changes.
    private func states(_ key: Line, in services: TestServices) async throws -> [Letter.State] {
        try await services[.content].client(.service).send(ReadChanges.request(query: .init())).items.compactMap {
            guard $0.entity == .letter, let notice = try $0.data?.decoded(as: LetterNotice.self), notice.key == key
            else { return nil }
            return notice.state
        }
    }
}
