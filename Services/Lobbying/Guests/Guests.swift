import ClubProtocol
import Postgres
import ServiceKit

/// Looks people up: in the copy that follows the directory, or in the directory itself.
struct Guests: Sendable {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.follow(.directory, name: "guests", Self.apply)
    }

    /// Applies a batch of the directory's changes. Of several changes of one person only the last counts, since each
    /// carries the state at the time of reading. Merges come last: invitations move to guests who are in the copy.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        var news: [Person.ID: Guest] = [:]
        for change in changes {
            guard let guest = try Guest(change) else { continue }
            news[guest.id] = guest
        }
        try await GuestStore.follow(Array(news.values), on: transaction)
        for change in changes { try await Merges.apply(change, transaction) }
    }

    /// Which of these people the directory knows. It is asked about those who are not in the copy yet, and its response
    /// is kept.
    ///
    /// - Throws: ``ServiceClientError`` when the directory does not respond.
    func known(_ ids: [Person.ID]) async throws -> Set<Person.ID> {
        guard !ids.isEmpty else { return [] }
        let copied = try await GuestStore.known(ids, on: backend.database)
        var known = Set(copied.values.filter { !$0.gone }.map(\.id))
        for id in Set(ids) where copied[id] == nil {
            do {
                let person = try await backend.peers[.directory].send(GetPerson.request(path: id))
                try await GuestStore.keep([Guest(person)], on: backend.database)
                known.insert(id)
            } catch ServiceClientError.problem(let document)
                where [ProblemType.notFound.slug, ProblemType.merged.slug].contains(document.slug)
            {
                continue
            }
        }
        return known
    }
}
