import ClubProtocol
import Testing

@Suite("Life cycles of events and registrations")
struct TransitionTests {
    @Test("only an event's own transitions are allowed", arguments: Event.State.allCases, Event.State.allCases)
    func event(from: Event.State, to: Event.State) {
        let allowed: [Event.State: Set<Event.State>] = [
            .draft: [.published, .cancelled],
            .published: [.closed, .cancelled, .held],
            .closed: [.published, .cancelled, .held],
            .cancelled: [],
            .held: [],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }

    @Test(
        "only a registration's own transitions are allowed", arguments: Registration.State.allCases,
        Registration.State.allCases)
    func registration(from: Registration.State, to: Registration.State) {
        let allowed: [Registration.State: Set<Registration.State>] = [
            .waitlisted: [.confirmed, .cancelled],
            .confirmed: [.cancelled, .attended, .noShow],
            .attended: [.noShow],
            .noShow: [.attended],
            .cancelled: [],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }
}
