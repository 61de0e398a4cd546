import ClubProtocol
import Testing

@Suite("life cycles of content")
struct ContentTransitionTests {
    @Test("an issue is sent, now or at a time, may be paused, and may be cancelled before it is sent")
    func issue() {
        typealias State = ClubProtocol.Issue.State
        let allowed: [State: Set<State>] = [
            .draft: [.scheduled, .sending, .cancelled], .scheduled: [.sending, .draft, .cancelled],
            .sending: [.paused, .sent, .cancelled], .paused: [.sending, .cancelled], .sent: [.sending],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("what was sent is final; what was missed may be sent again")
    func delivery() {
        typealias State = Delivery.State
        let allowed: [State: Set<State>] = [
            .pending: [.sending, .suppressed, .cancelled, .failed], .sending: [.sent, .failed, .uncertain, .pending],
            .failed: [.pending], .uncertain: [.pending], .cancelled: [.pending], .suppressed: [.pending],
            .skipped: [.pending],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("an ended letter is final; one in progress may be retried, and one that waits is asked back or expires")
    func letter() {
        typealias State = Letter.State
        let allowed: [State: Set<State>] = [
            .pending: [.sending, .suppressed, .cancelled, .expired], .sending: [.sent, .failed, .uncertain, .pending],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("a lane is slowed, closed and opened by what the provider says, paused and resumed by the staff")
    func lane() {
        typealias State = MailLane.State
        let allowed: [State: Set<State>] = [
            .open: [.slowed, .closed, .paused], .slowed: [.open, .closed, .paused],
            .closed: [.open, .slowed, .paused], .paused: [.open],
        ]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }

    @Test("an inbound message is read once; what could not be read may be read later")
    func inboundMessage() {
        typealias State = InboundMessage.State
        let allowed: [State: Set<State>] = [.new: [.read, .unread], .unread: [.read]]
        for from in State.allCases {
            for to in State.allCases {
                #expect(from.allows(to) == (allowed[from] ?? []).contains(to), "\(from) to \(to)")
            }
        }
    }
}
