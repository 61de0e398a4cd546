import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/circle-meetings/{meeting}/attendance`.
struct AttendanceRoutes {
    let backend: Backend
    let people: PeopleMirror

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(RecordAttendance.self, prepare: knownPeople, record)
        builder.routes.read(GetAttendance.self, get)
    }

    /// Which of the people named the directory knows.
    @Sendable func knownPeople(_ call: Call<RecordAttendance>) async throws -> Set<Person.ID> {
        Set(try await people.find(call.body.people).keys)
    }

    @Sendable func record(
        _ call: Call<RecordAttendance>, _ known: Set<Person.ID>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Attendance> {
        let meeting = call.path
        guard try await MeetingStore.lock(meeting, in: transaction) else { throw Problem(.notFound) }
        let unknownOfficials = try await AttendanceStore.unknownOfficials(call.body.officials, in: transaction)
        let errors =
            call.body.officials.enumerated().filter { unknownOfficials.contains($0.element) }
            .map { Problem.Field("/officials/\($0.offset)", "unknown official") }
            + call.body.people.enumerated().filter { !known.contains($0.element) }
            .map { Problem.Field("/people/\($0.offset)", "unknown person") }
        guard errors.isEmpty else { throw Problem(.invalid, errors: errors) }
        let version = try await AttendanceStore.replace(
            of: meeting, officials: call.body.officials, people: call.body.people, in: transaction)
        try await transaction.record(
            .changed, .circleMeeting, meeting, version: version, values: call.body, by: call.principal)
        return try .row(await AttendanceStore.get(meeting, on: transaction))
    }

    @Sendable func get(_ call: Call<GetAttendance>) async throws -> RouteResponse<Attendance> {
        try .row(await AttendanceStore.get(call.path, on: backend.database))
    }
}
