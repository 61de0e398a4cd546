import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/experts`
struct ExpertRoutes {
    let backend: Backend

    func mount(on parts: inout ServiceParts) {
        let (database, journal) = (backend.database, backend.journal)
        parts.routes.write(CreateExpert.self) { call, transaction in
            let id = Expert.ID()
            try await ConsentStore.say(call.body.consents, by: call.principal, in: transaction)
            let rows = try await ExpertStore.create(id, call.body, in: transaction)
            try await journal.record(
                .created, "expert", id, version: 1, values: call.body, by: call.principal, in: transaction)
            return try await PossibleDuplicates.answer(
                rows, .init(id.uuid), .expert, for: call.principal, in: transaction)
        }
        parts.routes.read(ListExperts.self) { call in
            try .page(
                try await ExpertStore.list(call.query, call.page, for: call.principal, on: database),
                call.page, key: "_key", "_id")
        }
        parts.routes.read(GetExpert.self) { call in
            let rows = try await ExpertStore.get(call.path.expert, for: call.principal, on: database)
            guard !rows.isEmpty else {
                throw try await MergeStore.absence(
                    of: call.path.expert, .expert, for: call.principal, on: database)
            }
            return try .row(rows)
        }
        parts.routes.write(ChangeExpert.self) { call, transaction in
            try await ConsentStore.say(call.body.consents, by: call.principal, in: transaction)
            let rows = try await ExpertStore.change(
                call.path.expert, call.body, at: call.ifMatch, by: call.principal, in: transaction)
            try await journal.record(
                .changed, "expert", call.path.expert, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        parts.snapshot("expert", ExpertStore.snapshot)
        parts.routes.constraint(
            "expert_siret_key", Problem(.alreadyExists, errors: [.init("/siret", "another expert has it")]))
        parts.routes.constraint("expert_topics_check", .invalid("/topics", "are more than 40"))
        parts.routes.constraint("expert_brands_check", .invalid("/brands", "are more than 200"))
    }
}
