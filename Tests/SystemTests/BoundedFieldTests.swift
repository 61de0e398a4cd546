import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

/// Values beyond a field's bounds, in every list and every integer of every body of every service, over HTTP.
@Suite("values beyond a field's bounds", .serialized)
struct BoundedFieldTests {
    @Test("are refused at their pointer, and never cost more than a text of as many bytes")
    func walk() async throws {
        try await TestClub.run { club in
            for service in ServiceName.allCases {
                var lists = 0
                var numbers = 0
                for operation in try await WalkedOperation.all(of: service, in: club) {
                    guard operation.media == "application/json" else { continue }
                    for list in operation.shape.lists {
                        lists += 1
                        try await check(operation, list, in: club)
                    }
                    for number in operation.shape.numbers {
                        numbers += 1
                        for value in [1 << 31, 1 << 40, -1, Int.max] {
                            try await check(operation, number, value, in: club)
                        }
                    }
                    try await check(operation, in: club)
                }
                print("\(service): \(lists) lists, \(numbers) numbers")
                #expect(lists > 1 && numbers > 0)
                #expect(club[service].isRunning)
            }
        }
    }

    private func check(_ operation: WalkedOperation, _ list: BodyShape.Field, in club: TestClub) async throws {
        let most = list.schema["maxItems"]?.integer ?? 0
        let two = try operation.shape.json(copies: 2, at: list).count
        let one = try two - operation.shape.json(copies: 1, at: list).count
        // As many as a body may have.
        for count in [most + 1, min(65_000, 1_000_000 / one)] {
            let body = try operation.shape.json(copies: count, at: list)
            let place = "\(operation.method) \(operation.path) \(list.pointer) \(count)"
            let answer = try await answer(operation, body, from: club)
            #expect(answer.status == 422, "\(place): \(answer.status)")
            // So many objects have more values than a document may have, which is found within one of them.
            let pointers = try answer.pointers()
            #expect(
                pointers == [list.pointer]
                    || count > most + 1 && pointers.first?.hasPrefix("\(list.pointer)/") == true, "\(place)")
            try await checkTime(of: body, operation, place, in: club)
        }
    }

    private func check(
        _ operation: WalkedOperation, _ number: BodyShape.Field, _ value: Int, in club: TestClub
    ) async throws {
        let body = try WireJSON.encode(operation.shape.with(.integer(value), at: number.pointer))
        let place = "\(operation.method) \(operation.path) \(number.pointer) \(value)"
        let answer = try await answer(operation, body, from: club)
        guard let least = number.schema["minimum"]?.integer, let most = number.schema["maximum"]?.integer else {
            Issue.record("\(place): no bounds")
            return
        }
        if !(least...most).contains(value) {
            #expect(answer.status == 422, "\(place): \(answer.status)")
            #expect(try answer.pointers() == [number.pointer], "\(place)")
        } else if answer.status == 422 {
            // Valid as a number: other errors have their pointers.
            #expect(try !answer.pointers().isEmpty, "\(place)")
        } else {
            // 503: a peer that does not know the identifier.
            #expect(answer.status < 500 || answer.status == 503, "\(place): \(answer.status)")
        }
    }

    /// Keys by the hundred thousand, and brackets.
    private func check(_ operation: WalkedOperation, in club: TestClub) async throws {
        let keys = (0..<90_000).map { "\"\(String($0, radix: 36))\":1" }.joined(separator: ",")
        let nest = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        let nests = Array(repeating: nest, count: 8000).joined(separator: ",")
        for (name, json, pointer) in [("keys", "{\(keys)}", ""), ("nests", "{\"note\":[\(nests)]}", "/note")] {
            let place = "\(operation.method) \(operation.path) \(name)"
            let answer = try await answer(operation, Array(json.utf8), from: club)
            #expect(answer.status == 422, "\(place): \(answer.status)")
            #expect(try answer.pointers().first?.hasPrefix(pointer) == true, "\(place)")
            try await checkTime(of: Array(json.utf8), operation, place, in: club)
        }
    }

    /// Uses an existing code in the path, and a caller that the operation allows.
    private func answer(
        _ operation: WalkedOperation, _ body: [UInt8], from club: TestClub
    ) async throws -> WalkedOperation.Answer {
        let codes = ["tier": "premium", "topic": "webSite"]
        let path = codes.first { operation.variables.contains($0.key) }.map { operation.path(filling: $0, with: $1) }
        var headers: [(String, String)] = []
        if operation.role == .service {
            let signer = try TokenSigner(keyFile: "\(club.folder)/directory.json", name: .directory)
            headers.append(("Authorization", "Bearer \(try signer.token(for: operation.service))"))
        }
        return try await operation.answer(from: club, path: path, headers: headers, body: body)
    }

    /// Compares the best of three runs with the best of three with text; if that is too much, of twenty, since other
    /// load on the machine counts here.
    private func checkTime(
        of body: [UInt8], _ operation: WalkedOperation, _ place: String, in club: TestClub
    ) async throws {
        let text = Array("{\"note\":\"\(String(repeating: "a", count: body.count))\"}".utf8)
        func time(_ body: [UInt8], _ runs: Int) async throws -> Double {
            var best = Double.infinity
            for _ in 0..<runs {
                let start = ContinuousClock.now
                _ = try await answer(operation, body, from: club)
                best = min(best, (ContinuousClock.now - start) / .seconds(1))
            }
            return best
        }
        var ratio = try await time(body, 3) / max(time(text, 3), 0.001)
        if ratio > TextCost.limit { ratio = try await time(body, 20) / max(time(text, 20), 0.001) }
        #expect(ratio <= TextCost.limit, "\(place): \(ratio) times a text")
    }
}

extension WalkedOperation.Answer {
    fileprivate func pointers() throws -> [String] {
        try JSONDecoder().decode(ProblemDocument.self, from: Data(bytes)).errors?.map(\.pointer) ?? []
    }
}
