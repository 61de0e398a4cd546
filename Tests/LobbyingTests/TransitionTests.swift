import ClubProtocol
import Testing

@Suite("The life cycle of an invitation")
struct TransitionTests {
    @Test(
        "an invitation allows only the transitions of its life cycle", arguments: Invitation.State.allCases,
        Invitation.State.allCases)
    func invitation(from: Invitation.State, to: Invitation.State) {
        let allowed: [Invitation.State: Set<Invitation.State>] = [
            .invited: [.accepted, .declined],
            .accepted: [.declined],
            .declined: [.accepted],
        ]
        #expect(from.allows(to) == allowed[from]?.contains(to))
    }
}
