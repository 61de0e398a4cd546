import ClubProtocol
import ServiceKit
import Testing

@testable import Events

@Suite("Rules of events and registrations")
struct RuleTests {
    let start = Timestamp(microseconds: 1_800_000_000_000_000)
    func hours(_ count: Int) -> Timestamp { start.advanced(by: .seconds(count * 3600)) }

    @Test("an event ends after it starts, and registration opens before it closes")
    func times() {
        func pointers(_ ends: Timestamp, _ opens: Timestamp?, _ closes: Timestamp?) -> [String] {
            EventTimes.errors(startsAt: start, endsAt: ends, registrationOpensAt: opens, registrationClosesAt: closes)
                .map(\.pointer)
        }
        #expect(pointers(hours(2), nil, nil) == [])
        #expect(pointers(hours(2), hours(-5), hours(-1)) == [])
        #expect(pointers(hours(0), nil, nil) == ["/endsAt"])
        #expect(pointers(hours(2), hours(-1), hours(-1)) == ["/registrationOpensAt"])
        #expect(pointers(hours(2), hours(0), nil) == ["/registrationOpensAt"])
        #expect(pointers(hours(2), nil, hours(3)) == ["/registrationClosesAt"])
        // Out-of-range years.
        let long = hours(24 * 365 * 10)
        #expect(
            pointers(long, Timestamp(microseconds: -60_000_000_000_000_000), nil) == [
                "/endsAt", "/registrationOpensAt",
            ])
    }

    @Test("a registration that names no session gets the only one")
    func onlySession() throws {
        let only = Session.ID()
        #expect(try RegistrationRules.choices([], among: [only]) == [only])
        #expect(throws: Problem.self) { try RegistrationRules.choices([], among: [only, Session.ID()]) }
        #expect(throws: Problem.self) { try RegistrationRules.choices([], among: []) }
    }

    @Test("choices are sessions of the event, each once, in the given order")
    func choices() throws {
        let sessions = [Session.ID(), Session.ID(), Session.ID()]
        let asked = [sessions[2], sessions[0]]
        #expect(try RegistrationRules.choices(asked, among: sessions) == asked)
        func pointer(_ asked: [Session.ID]) -> String? {
            do {
                _ = try RegistrationRules.choices(asked, among: sessions)
                return nil
            } catch {
                return (error as? Problem)?.errors.first?.pointer
            }
        }
        #expect(pointer([sessions[0], sessions[0]]) == "/choices/1")
        #expect(pointer([sessions[0], Session.ID()]) == "/choices/1")
        #expect(pointer(sessions + sessions) == "/choices")
    }

    @Test("people register themselves, a representative their people, an operator anyone; none a person who is gone")
    func mayRegister() {
        let organization = Organization.ID()
        let person = Person.ID()
        let member = PersonCopy(id: person, name: "Ana", organization: organization, version: 1, gone: false)
        func may(
            _ role: Role, organization: Organization.ID? = nil, person: Person.ID? = nil, _ member: PersonCopy
        ) -> Bool {
            RegistrationRules.mayRegister(
                member, by: Principal(subject: "x", role: role, organization: organization, person: person))
        }
        #expect(may(.operator, member))
        #expect(may(.ambassador, person: person, member))
        #expect(!may(.ambassador, organization: organization, person: Person.ID(), member))
        #expect(!may(.expert, member))
        #expect(may(.representative, organization: organization, member))
        #expect(!may(.representative, organization: Organization.ID(), person: Person.ID(), member))
        let homeless = PersonCopy(id: person, name: "Ana", version: 1, gone: false)
        #expect(!may(.representative, homeless))
        #expect(!may(.operator, PersonCopy(id: person, version: 2, gone: true)))
    }
}
