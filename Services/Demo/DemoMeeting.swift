import ClubProtocol
import CommandKit
import ServiceKit

/// A monthly meeting that fills up: 100 seats, 130 people, three cancellations.
struct DemoMeeting: Sendable {
    static let title: Line = "Club des Partenaires\u{A0}: la facture électronique"
    static let seats = 100
    static let guests = 130
    static let leavers = 3

    let events: ServiceClient

    /// Prepares and publishes the meeting, unless it exists.
    func open() async throws -> Demo.Outcome {
        if let known = try await find(.published) {
            return "found: \(known.confirmed) confirmed, \(known.waitlisted) waitlisted"
        }
        let day = Day.today.adding(days: 30)
        let (id, seats): (Event.ID, Int)
        if let draft = try await find(.draft) {
            (id, seats) = (draft.id, draft.capacity)
        } else {
            id = try await prepare(day)
            seats = 0
        }
        if seats == 0 {
            _ = try await events.send(
                AddSession.request(
                    path: id,
                    body: .init(title: "Séance plénière", kind: .plenary, capacity: Self.seats)))
        }
        _ = try await events.send(TransitionEvent.request(path: id, body: .init(to: .published)))
        return "published: \(Self.seats) seats on \(day)"
    }

    private func prepare(_ day: Day) async throws -> Event.ID {
        try await events.send(
            CreateEvent.request(
                body: .init(
                    title: Self.title, kind: .partnersClub, startsAt: Self.time(day, "17:00:00"),
                    endsAt: Self.time(day, "20:00:00"), venue: "Maison des associations, Paris 7e",
                    theme: "La facture électronique dans les TPE"))
        ).id
    }

    /// Registers the first 130 of `people`, in order, unless they are registered.
    func register(_ people: [Person.ID]) async throws -> Demo.Outcome {
        let event = try await meeting()
        let known = try await registrations(of: event.id)
        let registered = Set(known.map(\.person))
        var added = 0
        // One after the other, so that the same hundred get the seats every time.
        for person in people.prefix(Self.guests) where !registered.contains(person) {
            _ = try await events.send(
                RegisterForEvent.request(path: event.id, body: .init(person: person)))
            added += 1
        }
        let now = try await meeting()
        return "\(added) registered: \(now.confirmed) confirmed, \(now.waitlisted) waitlisted"
    }

    /// The first three cancel; the first three on the waitlist move up.
    func cancelThree(of people: [Person.ID]) async throws -> Demo.Outcome {
        let event = try await meeting()
        let before = try await registrations(of: event.id)
        let line = before.filter { $0.state == .waitlisted }.sorted { ($0.place ?? 0) < ($1.place ?? 0) }
        let leavers = Set(people.prefix(Self.leavers))
        let leaving = before.filter { leavers.contains($0.person) && $0.state == .confirmed }
        for registration in leaving {
            _ = try await events.send(CancelRegistration.request(path: registration.id))
        }
        let after = try await registrations(of: event.id)
        let confirmed = Set(after.filter { $0.state == .confirmed }.map(\.id))
        let promoted = line.filter { confirmed.contains($0.id) }
        guard promoted.count == min(leaving.count, line.count) else {
            throw CommandFailure("\(leaving.count) cancelled and \(promoted.count) were promoted")
        }
        let names = promoted.map { $0.personName?.text ?? $0.person.text }.joined(separator: ", ")
        return leaving.isEmpty ? "cancelled before" : "\(leaving.count) cancelled; promoted: \(names)"
    }

    private func find(_ state: Event.State) async throws -> EventSummary? {
        let list = try await events.all(ListEvents.self) {
            ListEvents.request(query: .init(.init(kind: .partnersClub), limit: 200, cursor: $0))
        }
        return list.first { $0.title == Self.title && $0.state == state }
    }

    private func meeting() async throws -> EventSummary {
        guard let event = try await find(.published) else { throw CommandFailure("the demo's meeting is gone") }
        return event
    }

    private func registrations(of event: Event.ID) async throws -> [Registration] {
        try await events.all(ListRegistrations.self) {
            ListRegistrations.request(path: event, query: .init(limit: 200, cursor: $0), body: Empty())
        }
    }

    private static func time(_ day: Day, _ hour: String) -> Timestamp {
        (try? Timestamp(validating: "\(day)T\(hour)Z")) ?? .now
    }
}
