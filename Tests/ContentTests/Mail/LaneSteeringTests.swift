import Testing

@testable import Content

@Suite("what is kept of replies")
struct LaneSteeringTests {
    @Test("lanes and issues keep no reader's address")
    func addresses() {
        for (reply, kept) in [
            ("421 4.7.0 <zoe@agence.example>: too many", "421 4.7.0 (address) too many"),
            ("550 zoe@agence.example,luc@web.example refused", "550 (address) refused"),
            ("421 too busy", "421 too busy"), ("", ""),
        ] {
            #expect(LaneSteering.withoutAddresses(reply) == kept)
        }
    }
}
