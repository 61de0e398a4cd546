import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("batches of letters", .serialized)
struct LetterBatchTests {
    @Test("each letter of a batch is answered by itself, and the same batch again is the same letters")
    func batch() async throws {
        try await LetterRig.run { services, mail in
            let content = services[.content]
            let gone = DataSubject(Person.ID())
            try await content.backend.database.transaction {
                try await ErasedReaders.add([gone.id], at: [], in: $0)
            }
            _ = try await content.client(.operator).send(
                SendLetter.request(body: LetterRig.body("pris", to: "autre@agence.example")))
            let good = #"{"key":"un","purpose":"ticket","email":"zoe@agence.example","subject":"s","paragraphs":["p"]}"#
            let json = """
                {"letters":[
                    \(good),
                    {"key":"pris","purpose":"ticket","email":"zoe@agence.example","subject":"s","paragraphs":["p"]},
                    {"key":"trois","purpose":"ticket","email":"zoe@agence.example","subject":"s","paragraphs":["p"],
                     "reader":{"entity":"person","id":"\(gone.id)"}},
                    {"key":"quatre","purpose":"ticket","email":"zoe@agence.example","subject":"s","paragraphs":["p"],
                     "expiresAt":"2020-01-01T00:00:00Z"},
                    \(good),
                    {"key":"six","purpose":"invitation","email":"luc@agence.example","subject":"s","paragraphs":["p"]}
                ]}
                """
            func send() async throws -> [SendLetterBatch.Answer] {
                let answer = try await content.raw(.post, "/v1/letter-batches", role: .operator, json: json)
                #expect(answer.status == 200)
                return try LenientJSON.decode(SendLetterBatch.Response.self, from: answer.body).answers
            }
            let first = try await send()
            #expect(first.map(\.status) == [201, 409, 410, 422, 200, 201])
            #expect(first.map { $0.problem?.slug } == [nil, "letter-key-used", "erased", "invalid", nil, nil])
            #expect(first[3].problem?.errors?.map(\.pointer) == ["/letters/3/expiresAt"])
            #expect(first[4].letter?.id == first[0].letter?.id)
            let again = try await send()
            #expect(again.map(\.status) == [200, 409, 410, 422, 200, 200])
            #expect(again.map { $0.letter?.id } == first.map { $0.letter?.id })
            #expect(try await CaughtMail.wait(for: 3, in: mail).count == 3)
            let all = try await content.client(.operator).send(ListLetters.request(query: .init()))
            #expect(Set(all.items.map(\.key)) == ["un", "pris", "six"])
        }
    }

    @Test("a batch with a malformed letter is refused as a whole, at its pointer")
    func malformed() async throws {
        try await LetterRig.run { services, _ in
            let good = #"{"key":"un","purpose":"ticket","email":"zoe@agence.example","subject":"s","paragraphs":["p"]}"#
            let bad = #"{"key":"d","purpose":"ticket","email":"z@a.example","subject":"a\nb","paragraphs":["p"]}"#
            let answer = try await services[.content].raw(
                .post, "/v1/letter-batches", role: .operator, json: "{\"letters\":[\(good),\(bad)]}")
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/letters/1/subject"])
            let client = try services[.content].client(.operator)
            #expect(try await client.send(ListLetters.request(query: .init())).items.isEmpty)
        }
    }

    @Test("batches of the same letters at once, in opposite orders, make each letter once")
    func atOnce() async throws {
        try await LetterRig.run(replicas: 2) { services, mail in
            let clients = try services.all(.content).map { try $0.client(.service) }
            let letters = try (0..<200).map { LetterRig.body(try Line(validating: "lettre \($0)"), .invitation) }
            let ids = try await withThrowingTaskGroup(of: [Letter.ID?].self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let answers = try await clients[number % 2].send(
                            SendLetterBatch.request(body: .init(letters: number < 2 ? letters : letters.reversed()))
                        ).answers
                        return (number < 2 ? answers : answers.reversed()).map { $0.letter?.id }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(ids).count == 1 && Set(ids[0].compactMap { $0 }).count == 200)
            #expect(try await CaughtMail.wait(for: 200, in: mail).count == 200)
        }
    }

    @Test("a batch has 1 to 200 letters", arguments: [0, 201])
    func size(count: Int) async throws {
        try await LetterRig.run { services, _ in
            let letters = try (0..<count).map { LetterRig.body(try Line(validating: "lettre \($0)")) }
            let answer = try await services[.content].raw(
                .post, "/v1/letter-batches", role: .operator,
                body: WireJSON.encode(SendLetterBatch.Body(letters: letters)))
            #expect(try answer.problem().errors?.map(\.pointer) == ["/letters"])
        }
    }
}
