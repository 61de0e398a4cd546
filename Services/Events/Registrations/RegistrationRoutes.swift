import ClubProtocol
import Postgres
import ServiceKit

/// `/v1/events/{event}/registrations` and `/v1/registrations/{registration}`.
struct RegistrationRoutes {
    let backend: Backend
    let people: PeopleMirror
    let semaphore: KeyedSemaphore

    init(backend: Backend, people: PeopleMirror) {
        self.backend = backend
        self.people = people
        // The other half of the connections is left for other requests.
        semaphore = KeyedSemaphore(width: backend.configuration.database.leasedConnections / 2)
    }

    func mount(on builder: inout ServiceBuilder) {
        builder.routes.write(RegisterForEvent.self, prepare: applicant, register)
        builder.routes.read(ListRegistrations.self, list)
        builder.routes.read(GetRegistration.self, get)
        builder.routes.write(CancelRegistration.self, cancel)
        builder.routes.constraint("registration_once", Problem(.alreadyRegistered))
        builder.snapshot(.registration, RegistrationStore.snapshot)
    }

    /// Who asks for a seat, and for which event; looked up before any lock is taken, because it may take a request to
    /// the directory.
    struct Applicant: Sendable {
        /// Nil when the person is unknown.
        var person: PersonCopy?
        /// Nil when the event is not found.
        var setting: RegistrationStore.EventSnapshot?
        /// Held until the request ends; nil when the request will be refused.
        var pass: KeyedSemaphore.Pass?
    }

    @Sendable func applicant(_ call: Call<RegisterForEvent>) async throws -> Applicant {
        let event = call.path
        async let found = people.find([call.body.person])
        guard let setting = try await RegistrationStore.setting(of: event, on: backend.database) else {
            return Applicant()
        }
        let person = try await found[call.body.person]
        return Applicant(person: person, setting: setting, pass: try await semaphore.enter(event))
    }

    @Sendable func register(
        _ call: Call<RegisterForEvent>, _ applicant: Applicant, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Registration> {
        let event = call.path
        guard let setting = applicant.setting,
            setting.state != .draft || Event.overseers.contains(call.principal.role)
        else { throw Problem(.notFound) }
        // A person whom the caller may not register gets the same response as one who does not exist.
        guard let person = applicant.person, RegistrationRules.mayRegister(person, by: call.principal) else {
            throw Problem.invalid("/person", "unknown person")
        }
        let choices = try RegistrationRules.choices(call.body.choices, among: setting.sessions)
        let id = Registration.ID()
        // One round trip, the lock as late as possible: whatever runs under it delays everyone else who wants a seat.
        let taken = try await transaction.batch([
            Journal.statement(
                [.init(.created, .registration, id, version: 1, values: call.body)], by: call.principal),
            SeatStore.lock(choices),
            RegistrationStore.take(id, event: event, choices: choices, person: person, note: call.body.note),
        ])
        guard let rows = taken.last, !rows.isEmpty else { throw Problem(.registrationClosed) }
        return try .row(rows)
    }

    @Sendable func list(_ call: Call<ListRegistrations>) async throws -> RouteResponse<Page<Registration>> {
        let event = call.path
        guard try await SessionStore.hasEvent(event, for: call.principal.role, on: backend.database) else {
            throw Problem(.notFound)
        }
        let rows = try await RegistrationStore.list(
            of: event, call.query, call.page, for: call.principal, on: backend.database)
        return try .page(rows, call.page, key: "_line")
    }

    @Sendable func get(_ call: Call<GetRegistration>) async throws -> RouteResponse<Registration> {
        try .row(await RegistrationStore.get(call.path, for: call.principal, on: backend.database))
    }

    @Sendable func cancel(
        _ call: Call<CancelRegistration>, _ transaction: PostgresTransaction
    ) async throws -> RouteResponse<Empty> {
        let id = call.path
        let results = try await transaction.batch([
            RegistrationStore.lockSession(of: id, for: call.principal),
            RegistrationStore.cancel(id, for: call.principal),
            RegistrationStore.promote(afterCancelling: id, for: call.principal),
            RegistrationStore.state(of: id, for: call.principal),
        ])
        guard let state = try results[3].first?["state", as: Registration.State.self] else {
            throw Problem(.notFound)
        }
        guard let cancelled = results[1].first else {
            guard state == .cancelled else {
                throw Problem(.transitionNotAllowed, "The registration is \(state.rawValue); it cannot be cancelled.")
            }
            return .empty
        }
        try await transaction.record(
            [.init(.changed, .registration, id, version: try cancelled["version"])]
                + Journal.Entry.each(.changed, .registration, results[2]),
            by: call.principal)
        return .empty
    }
}
