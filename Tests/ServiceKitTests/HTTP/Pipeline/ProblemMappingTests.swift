import ClubProtocol
import Postgres
import Testing

@testable import ServiceKit

@Suite("database errors")
struct ProblemMappingTests {
    private func problem(_ state: String) -> ProblemType {
        ProblemMapping(constraints: [:]).problem(
            for: PostgresError(.server, sqlState: state, message: ""), deadline: nil
        ).type
    }

    @Test(
        "a value that the database cannot store is the caller's error, whatever the reason",
        arguments: [
            "22000", "22001", "22003", "22007", "22008", "22012", "22021", "22023", "2201B", "2201E", "2201W", "2201X",
            "22026", "2202E", "22P02", "22P05", "54000",
        ])
    func values(state: String) {
        #expect(problem(state) == .invalid)
    }

    @Test("a wrong statement is our error; a temporary refusal is not an error")
    func others() {
        for state in ["42601", "42P01", "XX000", "0A000", "54001"] { #expect(problem(state) == .internal) }
        for state in ["40001", "55P03"] { #expect(problem(state) == .unavailable) }
        #expect(problem("23505") == .alreadyExists && problem("23503") == .invalid)
    }
}
