import ClubProtocol
import Testing

@Suite("Access and operations")
struct AccessTests {
    @Test("a role may perform the operations that list it")
    func access() {
        for role in Role.allCases {
            #expect(Access.anyone.allows(role))
            #expect(Access.roles(.editor, .auditor).allows(role) == (role == .editor || role == .auditor))
            #expect(!Access.roles([]).allows(role))
        }
    }

    @Test("a path is split into literals and variables")
    func segments() {
        #expect(ReadChanges.operation.segments == [.word("v1"), .word("changes")])
        var operation = ReadChanges.operation
        operation.path = "/v1/events/{event}/registrations"
        #expect(operation.segments == [.word("v1"), .word("events"), .variable("event"), .word("registrations")])
    }
}
