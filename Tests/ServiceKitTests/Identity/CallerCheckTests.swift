import ClubProtocol
import HTTPTypes
import Synchronization
import Testing

@testable import ServiceKit

@Suite("whether a caller is still what its token says")
struct CallerCheckTests {
    /// Answers as it is told to, and counts the queries.
    private final class Source: Sendable {
        enum Answer: Sendable {
            case known, unknown, failing
        }

        struct Failure: Error {}

        private let state = Mutex((answer: Answer.known, asked: 0))
        private let clock = Mutex(ContinuousClock.now)

        var answer: Answer {
            get { state.withLock { $0.answer } }
            set { state.withLock { $0.answer = newValue } }
        }
        var asked: Int { state.withLock { $0.asked } }

        func advance(_ duration: Duration) { clock.withLock { $0 += duration } }

        func check(capacity: Int = 10) -> CallerCheck {
            CallerCheck(
                freshness: .seconds(30), tolerance: .seconds(300), capacity: capacity,
                now: { self.clock.withLock { $0 } }
            ) { _ in
                try self.state.withLock { state in
                    state.asked += 1
                    if state.answer == .failing { throw Failure() }
                    return state.answer == .known
                }
            }
        }
    }

    private let source = Source()
    private let somebody = Principal(subject: "ana", role: .ambassador, person: Person.ID())

    @Test("is checked once while the answer is valid, and again after it")
    func fresh() async throws {
        let check = source.check()
        for _ in 0..<5 { try await check.require(somebody) }
        #expect(source.asked == 1)
        source.advance(.seconds(29))
        source.answer = .unknown
        try await check.require(somebody)
        source.advance(.seconds(1))
        let problem = await #expect(throws: Problem.self) { try await check.require(somebody) }
        #expect(problem?.type.status == .unauthorized)
        #expect(source.asked == 2)
    }

    @Test("a negative answer is cached too, and checked again sooner")
    func unknown() async throws {
        let check = source.check()
        source.answer = .unknown
        for _ in 0..<5 { await #expect(throws: Problem.self) { try await check.require(somebody) } }
        #expect(source.asked == 1)
        source.answer = .known
        source.advance(.seconds(2))
        try await check.require(somebody)
    }

    @Test("without an answer, known callers stay known for a time; refused and new ones are not let in")
    func failing() async throws {
        let check = source.check()
        try await check.require(somebody)
        source.answer = .failing
        let stranger = Principal(subject: "bob", role: .expert, organization: Organization.ID())
        await #expect(throws: Source.Failure.self) { try await check.require(stranger) }
        source.advance(.seconds(329))
        try await check.require(somebody)
        source.advance(.seconds(1))
        await #expect(throws: Source.Failure.self) { try await check.require(somebody) }
        source.answer = .unknown
        await #expect(throws: Problem.self) { try await check.require(somebody) }
        source.answer = .failing
        source.advance(.seconds(3))
        await #expect(throws: Source.Failure.self) { try await check.require(somebody) }
    }

    @Test("staff, services and anonymous callers are not checked; other claims are other callers")
    func whom() async throws {
        let check = source.check()
        source.answer = .unknown
        for role in Role.allCases where ![.representative, .ambassador, .expert].contains(role) {
            try await check.require(Principal(subject: "x", role: role, person: Person.ID()))
        }
        try await check.require(.anonymous)
        #expect(source.asked == 0)
        let person = Person.ID()
        for role in [Role.representative, .ambassador, .expert] {
            await #expect(throws: Problem.self) {
                try await check.require(Principal(subject: "x", role: role, person: person))
            }
        }
        #expect(source.asked == 3)
    }

    @Test("the number of cached callers is limited")
    func bounded() async throws {
        let check = source.check(capacity: 3)
        for _ in 0..<20 { try await check.require(Principal(subject: "x", role: .ambassador, person: Person.ID())) }
        #expect(check.remembered == 3)
    }
}
