import ClubProtocol
import Postgres
import ServiceKit

/// Looks people up: in the copy that follows the directory, or in the directory itself.
struct Members: Sendable {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.follow(.directory, name: "members", Self.apply)
    }

    /// Applies a batch of the directory's changes. Of several changes of one person only the last counts, since each
    /// carries the state at the time of reading. Merges come first: registrations move to the person who remains.
    @Sendable static func apply(_ changes: [Change], _ transaction: PostgresTransaction) async throws {
        for change in changes { try await Merges.apply(change, transaction) }
        var news: [Person.ID: Member] = [:]
        for change in changes {
            guard let member = try Member(change) else { continue }
            news[member.id] = member
        }
        try await MemberStore.follow(Array(news.values), on: transaction)
        let erased = changes.filter { $0.action == .erased && $0.entity == .person }
        let people = erased.compactMap { try? Person.ID(validating: $0.id) }
        if !people.isEmpty { try await transaction.execute(MergeStore.forget(people)) }
        try await MemberStore.forget(news.values.filter(\.gone).map(\.id), in: transaction)
    }

    /// Asks the directory about a person who is not in the copy yet, and keeps the response.
    ///
    /// - Returns: nil when the directory has no person with this identifier.
    /// - Throws: ``ServiceClientError`` when the directory does not respond.
    func fetch(_ id: Person.ID) async throws -> Member? {
        do {
            let person = try await backend.peers[.directory].send(GetPerson.request(path: id))
            try await MemberStore.keep([Member(person)], on: backend.database)
            return try await MemberStore.get(id, on: backend.database)
        } catch ServiceClientError.problem(let document)
            where [ProblemType.notFound.slug, ProblemType.merged.slug].contains(document.slug)
        {
            return nil
        }
    }
}
