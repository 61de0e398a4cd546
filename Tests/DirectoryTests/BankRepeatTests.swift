import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// What of a bank's files is one payment, and what is two.
@Suite("payments that look alike", .serialized)
struct BankRepeatTests {
    @Test(
        "payments of one day and amount stay apart, whatever the bank writes for a reference of both",
        arguments: ["NONREF", "NOTPROVIDED", "Not provided", "no-ref", "0000000000", "BATCH-7"])
    func reference(text: String) async throws {
        try await withDirectory { directory in
            let file = Camt(statements: [
                [
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Un")]),
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 120_000, payer: "Deux")]),
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Un")]),
                    .init(
                        cents: 200, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 100, payer: "Trois"), .init(cents: 100, payer: "Quatre")]),
                    .init(
                        cents: 200, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 100, payer: "Cinq"), .init(cents: 100, payer: "Trois")]),
                ]
            ])
            #expect(try await send(file, to: directory).added == 7)
            let lines = try await lines(directory)
            #expect(
                lines.compactMap { $0.counterparty?.text }.sorted()
                    == ["Cinq", "Deux", "Quatre", "Trois", "Trois", "Un", "Un"])
            #expect(Set(lines.map(\.reference.text)).count == (text.hasPrefix("BATCH") ? 1 : 7))
            // The next file tells them again, and one that is new.
            var next = file
            next.statements[0].append(
                .init(cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Six")]))
            let more = try await send(next, to: directory)
            #expect(more.added == 1 && more.known == 7)
        }
    }

    @Test(
        "an entry with the bank's reference that stands in two statements of a file is one; without texts, its number tells"
    )
    func statements() async throws {
        try await withDirectory { directory in
            let entry = Camt.Entry(
                cents: 100, day: "2026-11-20", reference: "BK1", parts: [.init(cents: 100, payer: "Un")])
            var other = entry
            other.parts[0].payer = "Deux"
            let file = Camt(statements: [[entry, entry], [entry, other]])
            let statement = try await send(file, to: directory)
            #expect(statement.added == 3 && statement.known == 1)
            let numbered = Camt(statements: [
                (1...3).map { _ in .init(cents: 500, day: "2026-11-21", number: "NONREF") },
                [.init(cents: 500, day: "2026-11-22", number: "1"), .init(cents: 500, day: "2026-11-22", number: "1")],
            ])
            #expect(try await send(numbered, to: directory).added == 5)
        }
    }

    // MARK: -

    private func send(_ file: Camt, to directory: TestService) async throws -> BankStatement {
        try await send(Array(file.text.utf8), "application/xml", "", to: directory)
    }

    private func send(
        _ bytes: [UInt8], _ type: String, _ query: String, to directory: TestService
    ) async throws -> BankStatement {
        let answer = try await directory.raw(
            .post, "/v1/bank-statements\(query)", role: .operator, headers: ["Content-Type": type], body: bytes)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.decode(BankStatement.self)
    }

    private func lines(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(limit: 200))).items
    }
}
