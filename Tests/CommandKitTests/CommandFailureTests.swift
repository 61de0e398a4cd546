import ClubProtocol
import ServiceKit
import Testing

@testable import CommandKit

@Suite("messages when a service does not respond")
struct CommandFailureTests {
    @Test("a service that answers 503 is running: wait and retry; an unreachable one may not be running")
    func reasons() {
        let busy = CommandFailure(
            calling: .events, ServiceClientError.unavailable(.directory, reason: "answered 503")
        ).description
        #expect(
            busy == """
                directory is running but cannot do its work now (answered 503); wait until `club health` says that it is \
                ready, then run the command again
                """)
        let absent = CommandFailure(
            calling: .directory, ServiceClientError.unavailable(.directory, reason: "no connection")
        ).description
        #expect(absent == "directory cannot be reached (no connection); is it running? see `club health`")
    }

    @Test("a token for one caller is refused by commands that act for several")
    func token() {
        #expect(throws: Never.self) { try Connection(environment: [:]).refuseToken("it does") }
        #expect(throws: CommandFailure.self) { try Connection(environment: ["CLUB_TOKEN": "t"]).refuseToken("it does") }
    }
}
