import ClubProtocol
import ServiceKit

/// A person who answers about consent, requests their data, and is erased.
struct DemoRights: Sendable {
    let directory: ServiceClient

    func exercise() async throws -> Demo.Outcome {
        let earlier = try await directory.send(ListErasures.request(query: .init(.init(state: .done), limit: 1)))
        guard earlier.items.isEmpty else { return "erased before" }
        let person = try await directory.send(
            CreatePerson.request(
                body: .init(
                    givenName: "Camille", familyName: "Passage", email: "camille.passage@example.org",
                    consents: .init(flashInfo: true)), idempotencyKey: "demo-rights"))
        _ = try await directory.send(
            AddPersonConsent.request(
                path: person.id, body: .init(purpose: .flashInfo, agreed: false, source: .paper)))
        let ledger = try await directory.send(
            ListPersonConsents.request(path: person.id, query: .init(), body: Empty()))
        let document = try await directory.send(GetPersonData.request(path: person.id))
        let asked = try await directory.send(CreateErasure.request(body: .init(person: person.id)))
        let erasure = try await untilDone(asked)
        let done = erasure.services.filter { $0.doneAt != nil }.count
        return "\(ledger.items.count) answers in the ledger, a document from \(document.services.count) services; "
            + "erased by \(done) of \(erasure.services.count)"
    }

    /// A service that is down erases when it is back: waits up to half a minute for it.
    private func untilDone(_ asked: Erasure) async throws -> Erasure {
        var erasure = asked
        for _ in 0..<150 where erasure.state != .done {
            try await Task.sleep(for: .milliseconds(200))
            erasure = try await directory.send(GetErasure.request(path: asked.id))
        }
        return erasure
    }
}
