import ClubProtocol
import Testing

@Suite("life cycles of content")
struct ContentTransitionTests {
    @Test("an issue goes from draft to sending to sent, and can be cancelled before it is sent")
    func issue() {
        typealias State = ClubProtocol.Issue.State
        let allowed: [State: Set<State>] = [.draft: [.sending, .cancelled], .sending: [.sent, .cancelled]]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("an ended delivery is final; one in progress may be retried")
    func delivery() {
        typealias State = Delivery.State
        let allowed: [State: Set<State>] = [
            .pending: [.sending, .suppressed, .cancelled], .sending: [.sent, .failed, .uncertain, .pending],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("an ended letter is final; one in progress may be retried")
    func letter() {
        typealias State = Letter.State
        let allowed: [State: Set<State>] = [
            .pending: [.sending, .suppressed], .sending: [.sent, .failed, .uncertain, .pending],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }
}
