import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/letters`.
struct LetterRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(SendLetter.self, send)
        builder.routes.read(ListLetters.self, list)
        builder.routes.read(GetLetter.self, get)
        builder.routes.constraint("letter_paragraphs_check", .invalid("/paragraphs", "are not 1 to 20"))
    }

    @Sendable func send(
        _ call: Call<SendLetter>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Letter> {
        if let reader = call.body.reader, try await ErasedReaders.contains(reader, in: transaction) {
            throw Problem(.erased, "The recipient of this letter was erased.")
        }
        let lane = try await LaneAssignment.known(call.body.email.domain, in: transaction)
        guard let id = try await LetterStore.add(call.body, lane: lane, in: transaction) else {
            let earlier = try await LetterStore.get(key: call.body.key, on: transaction)
            guard let email = try earlier.first?["email", as: EmailAddress.self],
                email.text.asciiLowercased == call.body.email.text.asciiLowercased
            else { throw Problem(.letterKeyUsed) }
            var answer = try RouteResponse<Letter>.row(earlier)
            answer.status = .ok
            return answer
        }
        let added = try await LetterStore.get(id, on: transaction)
        if let letter = try added.first?.decode(Letter.self) {
            try await transaction.record(.created, .letter, id, values: letter, by: call.principal)
        }
        try await OutgoingMailStore.notify(in: transaction)
        return try .row(added)
    }

    @Sendable func list(_ call: Call<ListLetters>) async throws -> RouteResponse<Page<Letter>> {
        try .page(await LetterStore.list(call.query, call.page, on: backend.database), call.page, key: "id")
    }

    @Sendable func get(_ call: Call<GetLetter>) async throws -> RouteResponse<Letter> {
        try .row(await LetterStore.get(call.path, on: backend.database))
    }
}
