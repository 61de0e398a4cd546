import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Lobbying

@Suite("bounded days of meetings and mandates")
struct BoundedDayTests {
    @Test("every day and time that the OpenAPI document allows is refused where it is invalid")
    func document() async throws {
        try await withService(LobbyingApplication.self) { lobbying in
            let official = try await lobbying.official()
            func mandate(_ key: String, _ days: String) -> BodyDays.Request {
                BodyDays.Request(
                    "POST /v1/officials/{official}/mandates /\(key)", at: "/v1/officials/\(official.id)/mandates",
                    as: .lobbyist, ##"{"institution":"Sénat","role":"Sénatrice",\##(days)}"##)
            }
            let requests = [
                BodyDays.Request(
                    "POST /v1/circle-meetings /date", at: "/v1/circle-meetings", as: .lobbyist,
                    ##"{"date":"#","place":"Sénat","theme":"Le numérique"}"##),
                mandate("from", ##""from":"#""##), mandate("until", ##""from":"2024-01-01","until":"#""##),
            ]
            let known = BodyDays.questions.merging(BodyDays.told) { first, _ in first }
            #expect(try await BodyDays.faults(of: lobbying, requests, any: known) == [])
        }
    }
}
