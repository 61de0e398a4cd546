import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/circle-meetings`.
struct MeetingRoutes {
    let backend: Backend

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(CreateCircleMeeting.self, create)
        builder.routes.read(ListCircleMeetings.self, list)
        builder.routes.read(GetCircleMeeting.self, get)
        builder.routes.constraint(
            "circle_meeting_day_once", Problem(.alreadyExists, "Another meeting is on this day."))
        builder.snapshot(.circleMeeting, MeetingStore.snapshot)
    }

    @Sendable func create(
        _ call: Call<CreateCircleMeeting>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<CircleMeeting> {
        try DayMeaning.meeting.check(call.body.date, at: "/date")
        let id = try await MeetingStore.create(call.body, in: transaction)
        try await transaction.record(.created, .circleMeeting, id, version: 1, values: call.body, by: call.principal)
        return try .row(await MeetingStore.get(id, on: transaction))
    }

    @Sendable func list(_ call: Call<ListCircleMeetings>) async throws -> RouteResponse<Page<CircleMeeting>> {
        try .page(await MeetingStore.list(call.page, on: backend.database), call.page, key: "date")
    }

    @Sendable func get(_ call: Call<GetCircleMeeting>) async throws -> RouteResponse<CircleMeeting> {
        try .row(await MeetingStore.get(call.path, on: backend.database))
    }
}
