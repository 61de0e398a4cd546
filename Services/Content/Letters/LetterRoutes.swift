import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// `/v1/letters` and `/v1/letter-batches`.
struct LetterRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(SendLetter.self, send)
        builder.routes.write(SendLetterBatch.self, sendBatch)
        builder.routes.read(ListLetters.self, list)
        builder.routes.read(GetLetter.self, get)
        builder.routes.write(CancelLetter.self, cancel)
        builder.routes.constraint("letter_paragraphs_check", .invalid("/paragraphs", "are not 1 to 20"))
        builder.snapshot(.letter, LetterStore.snapshot)
    }

    @Sendable func send(
        _ call: Call<SendLetter>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Letter> {
        let intake = LetterIntake(principal: call.principal, transaction: transaction)
        switch try await intake.take([.init(body: call.body)])[0] {
        case .added(let letter): return .value(letter)
        case .known(let letter):
            var answer = RouteResponse<Letter>.value(letter)
            answer.status = .ok
            return answer
        case .refused(let problem): throw problem
        }
    }

    @Sendable func sendBatch(
        _ call: Call<SendLetterBatch>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<SendLetterBatch.Response> {
        let intake = LetterIntake(principal: call.principal, transaction: transaction)
        let answers = try await intake.take(
            call.body.letters.enumerated().map { .init(body: $1, pointer: "/letters/\($0)") })
        return .value(
            .init(
                answers: answers.map { answer in
                    switch answer {
                    case .added(let letter): .init(letter, isNew: true)
                    case .known(let letter): .init(letter, isNew: false)
                    case .refused(let problem): .init(problem)
                    }
                }))
    }

    @Sendable func list(_ call: Call<ListLetters>) async throws -> RouteResponse<Page<Letter>> {
        try .page(await LetterStore.list(call.query, call.page, on: backend.database), call.page, key: "id")
    }

    @Sendable func get(_ call: Call<GetLetter>) async throws -> RouteResponse<Letter> {
        try .row(await LetterStore.get(call.path, on: backend.database))
    }

    @Sendable func cancel(
        _ call: Call<CancelLetter>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Letter> {
        let letter = call.path
        guard let state = try await LetterStore.lock(letter, in: transaction) else { throw Problem(.notFound) }
        if state != .cancelled {
            guard state.allows(.cancelled) else {
                throw Problem(.letterGone, "The letter is \(state.rawValue).")
            }
            try await LetterStore.cancel(letter, in: transaction)
            try await transaction.record(.changed, .letter, letter, by: call.principal)
        }
        return try .row(await LetterStore.get(letter, on: transaction))
    }
}
