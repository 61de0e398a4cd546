import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/topics`, `/v1/tiers`
struct VocabularyRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        mountTopics(on: &builder)
        mountTiers(on: &builder)
    }

    private func mountTopics(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.read(ListTopics.self) { call in
            try .page(try await TopicStore.list(call.page, on: database), call.page, key: "_key", "code")
        }
        builder.routes.write(CreateTopic.self) { call, transaction in
            let rows = try await TopicStore.create(call.body, in: transaction)
            try await journal.record(
                .created, .topic, call.body.code, version: 1, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.write(ChangeTopic.self) { call, transaction in
            let rows = try await TopicStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
            try await journal.record(
                .changed, .topic, call.path, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.write(DeleteTopic.self) { call, transaction in
            try await TopicStore.delete(call.path, in: transaction)
            try await journal.record(.deleted, .topic, call.path, by: call.principal, in: transaction)
            return .empty
        }
        builder.routes.constraint("topics_known", .invalid("/topics", "the vocabulary has no such topic"))
        builder.routes.constraint("topic_unused", Problem(.topicInUse))
        builder.routes.constraint("topic_pkey", Problem(.alreadyExists, errors: [.init("/code", "is a topic already")]))
        builder.routes.constraint(
            "topic_label_key", Problem(.alreadyExists, errors: [.init("/label", "another topic has it")]))
    }

    private func mountTiers(on builder: inout ServiceBuilder) {
        let (database, journal) = (backend.database, backend.journal)
        builder.routes.read(ListTiers.self) { call in
            try .page(try await TierStore.list(call.page, on: database), call.page, key: "_key", "code")
        }
        builder.routes.read(GetTier.self) { call in
            try .row(try await TierStore.get(call.path, on: database))
        }
        builder.routes.write(CreateTier.self) { call, transaction in
            let rows = try await TierStore.create(call.body, in: transaction)
            try await journal.record(
                .created, .tier, call.body.code, version: 1, values: call.body, by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.write(ChangeTier.self) { call, transaction in
            let rows = try await TierStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
            try await journal.record(
                .changed, .tier, call.path, version: try rows.first?["version"], values: call.body,
                by: call.principal, in: transaction)
            return try .row(rows)
        }
        builder.routes.constraint("tier_kind_held", Problem(.tierInUse))
        builder.routes.constraint("tier_pkey", Problem(.alreadyExists, errors: [.init("/code", "is a tier already")]))
        builder.routes.constraint(
            "tier_label_key", Problem(.alreadyExists, errors: [.init("/label", "another tier has it")]))
    }
}
