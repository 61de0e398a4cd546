import ClubProtocol
import Testing

@Suite("The life of an invitation")
struct TransitionTests {
    @Test(
        "an invitation goes only where its life leads", arguments: Invitation.State.allCases,
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
