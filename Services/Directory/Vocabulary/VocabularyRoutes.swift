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
        builder.routes.read(ListTopics.self, listTopics)
        builder.routes.write(CreateTopic.self, createTopic)
        builder.routes.write(ChangeTopic.self, changeTopic)
        builder.routes.write(DeleteTopic.self, deleteTopic)
        builder.routes.constraint("topics_known", .invalid("/topics", "is not in the vocabulary"))
        builder.routes.constraint("topic_unused", Problem(.topicInUse))
        builder.routes.constraint("topic_pkey", Problem(.alreadyExists, errors: [.init("/code", "is a topic already")]))
        builder.routes.constraint(
            "topic_label_key", Problem(.alreadyExists, errors: [.init("/label", "another topic has it")]))
    }

    private func mountTiers(on builder: inout ServiceBuilder) {
        builder.routes.read(ListTiers.self, listTiers)
        builder.routes.read(GetTier.self, getTier)
        builder.routes.write(CreateTier.self, createTier)
        builder.routes.write(ChangeTier.self, changeTier)
        builder.routes.constraint("tier_kind_held", Problem(.tierInUse))
        builder.routes.constraint("tier_pkey", Problem(.alreadyExists, errors: [.init("/code", "is a tier already")]))
        builder.routes.constraint(
            "tier_label_key", Problem(.alreadyExists, errors: [.init("/label", "another tier has it")]))
    }

    @Sendable func listTopics(_ call: Call<ListTopics>) async throws -> RouteResponse<Page<TopicTerm>> {
        try .page(try await TopicStore.list(call.page, on: backend.database), call.page, key: "_key", "code")
    }

    @Sendable func createTopic(
        _ call: Call<CreateTopic>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TopicTerm> {
        let rows = try await TopicStore.create(call.body, in: transaction)
        try await transaction.record(
            .created, .topic, call.body.code, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func changeTopic(
        _ call: Call<ChangeTopic>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TopicTerm> {
        let rows = try await TopicStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
        try await transaction.record(
            .changed, .topic, call.path, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func deleteTopic(
        _ call: Call<DeleteTopic>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        try await TopicStore.delete(call.path, in: transaction)
        try await transaction.record(.deleted, .topic, call.path, by: call.principal)
        return .empty
    }

    @Sendable func listTiers(_ call: Call<ListTiers>) async throws -> RouteResponse<Page<TierTerms>> {
        try .page(try await TierStore.list(call.page, on: backend.database), call.page, key: "_key", "code")
    }

    @Sendable func getTier(_ call: Call<GetTier>) async throws -> RouteResponse<TierTerms> {
        try .row(try await TierStore.get(call.path, on: backend.database))
    }

    @Sendable func createTier(
        _ call: Call<CreateTier>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TierTerms> {
        let rows = try await TierStore.create(call.body, in: transaction)
        try await transaction.record(.created, .tier, call.body.code, version: 1, values: call.body, by: call.principal)
        return try .row(rows)
    }

    @Sendable func changeTier(
        _ call: Call<ChangeTier>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<TierTerms> {
        let rows = try await TierStore.change(call.path, call.body, at: call.ifMatch, in: transaction)
        try await transaction.record(
            .changed, .tier, call.path, version: try rows.first?["version"], values: call.body, by: call.principal)
        return try .row(rows)
    }
}
