import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/events`.
struct EventRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateEvent.self, create)
        builder.routes.read(ListEvents.self, list)
        builder.routes.read(GetEvent.self, get)
        builder.routes.write(ChangeEvent.self, change)
        builder.routes.write(TransitionEvent.self, transition)
        builder.routes.constraint(
            "event_attended",
            Problem(
                .eventOver,
                "Attendance is recorded: the times of the event can no longer change, and it cannot be cancelled."))
        builder.snapshot(.event, EventStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateEvent>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Event> {
        let errors = EventTimes.errors(
            startsAt: call.body.startsAt, endsAt: call.body.endsAt,
            registrationOpensAt: call.body.registrationOpensAt, registrationClosesAt: call.body.registrationClosesAt)
        guard errors.isEmpty else { throw Problem(.invalid, errors: errors) }
        let id = try await EventStore.create(call.body, in: transaction)
        try await transaction.record(.created, .event, id, version: 1, values: call.body, by: call.principal)
        return try .row(await EventStore.get(id, for: call.principal.role, on: transaction))
    }

    @Sendable func list(_ call: Call<ListEvents>) async throws -> RouteResponse<Page<EventSummary>> {
        let rows = try await EventStore.list(call.query, call.page, for: call.principal.role, on: backend.database)
        return try .page(rows, call.page, key: "startsAt", "id")
    }

    @Sendable func get(_ call: Call<GetEvent>) async throws -> RouteResponse<Event> {
        try .row(await EventStore.get(call.path, for: call.principal.role, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeEvent>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Event> {
        let id = call.path
        guard let event = try await EventStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        guard event.version == call.ifMatch else { throw Problem(.stale) }
        guard !event.state.isOver else { throw Problem(.eventOver) }
        let changed = event.applying(call.body)
        try changed.checkTimes()
        try await EventStore.change(id, to: changed, in: transaction)
        try await transaction.record(
            .changed, .event, id, version: event.version + 1, values: call.body, by: call.principal)
        return try .row(await EventStore.get(id, for: call.principal.role, on: transaction))
    }

    @Sendable func transition(
        _ call: Call<TransitionEvent>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Event> {
        let id = call.path
        let next = call.body.to
        guard let event = try await EventStore.lock(id, in: transaction) else { throw Problem(.notFound) }
        guard event.state.allows(next) else {
            throw Problem(
                .transitionNotAllowed, "The event is \(event.state.rawValue); it cannot become \(next.rawValue).")
        }
        if next == .published, event.firstStart == nil { throw Problem(.eventWithoutSession) }
        try await EventStore.transition(id, to: next, in: transaction)
        try await transaction.record(
            .changed, .event, id, version: event.version + 1, values: call.body, by: call.principal)
        return try .row(await EventStore.get(id, for: call.principal.role, on: transaction))
    }
}
