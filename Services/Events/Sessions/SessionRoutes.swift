import ClubProtocol
import Postgres
import ServiceKit

/// Sessions over HTTP. The event is always locked before its session, so that two changes cannot deadlock.
struct SessionRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(AddSession.self, add)
        builder.routes.read(ListSessions.self, list)
        builder.routes.read(GetSession.self, get)
        builder.routes.write(ChangeSession.self, change)
        builder.routes.constraint("session_never_oversold", Problem(.capacityBelowConfirmed))
    }

    @Sendable func add(_ call: Call<AddSession>, _ transaction: PostgresTransaction) async throws -> RouteResponse<
        Session
    > {
        let event = call.path
        guard let current = try await EventStore.lock(event, in: transaction) else { throw Problem(.notFound) }
        guard !current.state.isOver else { throw Problem(.eventOver) }
        let startsAt = call.body.startsAt ?? current.startsAt
        let endsAt = call.body.endsAt ?? current.endsAt
        try EventTimes.checkSession(startsAt: startsAt, endsAt: endsAt, within: current)
        let id = try await SessionStore.add(
            call.body, startsAt: startsAt, endsAt: endsAt, to: event, in: transaction)
        try await backend.journal.record(
            .created, .session, id, version: 1, values: call.body, by: call.principal, in: transaction)
        return try .row(await SessionStore.get(id, for: call.principal.role, on: transaction))
    }

    @Sendable func list(_ call: Call<ListSessions>) async throws -> RouteResponse<Page<Session>> {
        let event = call.path
        guard try await SessionStore.hasEvent(event, for: call.principal.role, on: backend.database) else {
            throw Problem(.notFound)
        }
        let rows = try await SessionStore.list(of: event, call.page, on: backend.database)
        return try .page(rows, call.page, key: "startsAt", "id")
    }

    @Sendable func get(_ call: Call<GetSession>) async throws -> RouteResponse<Session> {
        try .row(await SessionStore.get(call.path, for: call.principal.role, on: backend.database))
    }

    @Sendable func change(
        _ call: Call<ChangeSession>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Session> {
        let id = call.path
        let patch = call.body
        guard let owner = try await SessionStore.event(of: id, on: transaction),
            let event = try await EventStore.lock(owner, in: transaction),
            var session = try await SessionStore.lock(id, in: transaction)
        else { throw Problem(.notFound) }
        guard session.version == call.ifMatch else { throw Problem(.stale) }
        guard !event.state.isOver else { throw Problem(.eventOver) }
        if let title = patch.title { session.title = title }
        if let startsAt = patch.startsAt { session.startsAt = startsAt }
        if let endsAt = patch.endsAt { session.endsAt = endsAt }
        if let capacity = patch.capacity {
            guard capacity >= session.confirmed else {
                throw Problem(.capacityBelowConfirmed, "\(session.confirmed) seats are confirmed.")
            }
            session.capacity = capacity
        }
        try EventTimes.checkSession(startsAt: session.startsAt, endsAt: session.endsAt, within: event)
        try await SessionStore.change(id, to: session, in: transaction)
        let promoted = try await transaction.query(SeatStore.promote(in: id))
        try await backend.journal.record(
            [.init(.changed, .session, id, version: session.version + 1, values: patch)]
                + SeatStore.journalEntries(of: promoted),
            by: call.principal, in: transaction)
        return try .row(await SessionStore.get(id, for: call.principal.role, on: transaction))
    }
}
