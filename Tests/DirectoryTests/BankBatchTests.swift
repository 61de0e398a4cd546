import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// An entry that one file reports as a whole, and another by its parts.
@Suite("entries and their parts", .serialized)
struct BankBatchTests {
    private static let day = "2026-11-20"
    private static let whole = Camt.Entry(cents: 240_000, day: day, reference: "W5")
    private static let apart = Camt.Entry(
        cents: 240_000, day: day, reference: "W5",
        parts: [.init(cents: 120_000, payer: "Un"), .init(cents: 120_000, payer: "Deux")])
    private static let table = "Date;Libellé;Montant\n20/11/2026;REMISE DE PRELEVEMENTS;2400,00\n"

    private enum File: Sendable {
        case camt([Camt.Entry]), table

        var bytes: [UInt8] {
            switch self {
            case .camt(let entries): Array(Camt(statements: [entries]).text.utf8)
            case .table: Array(BankBatchTests.table.utf8)
            }
        }
    }

    @Test(
        "the sum and its parts are marked as alike, whichever comes first, and only one of them can be booked",
        arguments: 0..<4)
    func sum(order: Int) async throws {
        let files: [[File]] = [
            [.camt([Self.whole]), .camt([Self.apart])], [.camt([Self.apart]), .camt([Self.whole])],
            [.table, .camt([Self.apart])], [.camt([Self.apart]), .table],
        ]
        try await withDirectory { directory in
            let owed = try await contribution(directory)
            for file in files[order] { try await send(file, directory) }
            let lines = try await lines(directory)
            let whole = try #require(lines.first { $0.amount.amount == 240_000 })
            let parts = lines.filter { $0.amount.amount == 120_000 }
            #expect(lines.count == 3 && Set(whole.alike) == Set(parts.map(\.id)))
            #expect(parts.allSatisfy { $0.alike == [whole.id] })
            // Either the whole or its parts.
            if order.isMultiple(of: 2) {
                #expect(try await book(whole, owed, directory).status == 201)
                for part in parts {
                    #expect(try await book(part, owed, directory).problem().slug == "bank-line-alike")
                }
            } else {
                for part in parts { #expect(try await book(part, owed, directory).status == 201) }
                #expect(try await book(whole, owed, directory).problem().slug == "bank-line-alike")
                #expect(try await book(whole, owed, directory, #","another":true"#).status == 201)
            }
        }
    }

    @Test(
        "lines reported as whole and parts by one file, of another day or amount, or already known, are not alike"
    )
    func apart() async throws {
        try await withDirectory { directory in
            var (other, later) = (Self.apart, Self.whole)
            other.reference = "W6"
            try await send(.camt([Self.whole, other]), directory)
            #expect(try await lines(directory).allSatisfy(\.alike.isEmpty))
            // The same lines again, and lines that differ in day or amount.
            (later.day, later.reference) = ("2026-11-21", "W7")
            var more = Self.whole
            (more.cents, more.reference) = (240_001, "W8")
            try await send(.camt([Self.whole, other, later, more]), directory)
            let lines = try await lines(directory)
            #expect(lines.count == 5 && lines.allSatisfy(\.alike.isEmpty))
        }
    }

    @Test("existing groups of lines that are alike are joined with their sum")
    func groups() async throws {
        try await withDirectory { directory in
            let owed = try await contribution(directory)
            let table = "Date;Libellé;Montant\n20/11/2026;VIR DE UN;1200,00\n20/11/2026;VIR DE DEUX;1200,00\n"
            try await send(Array(table.utf8), directory)
            try await send(.camt([Self.apart]), directory)
            try await send(.table, directory)
            let lines = try await lines(directory)
            let whole = try #require(lines.first { $0.amount.amount == 240_000 })
            #expect(lines.count == 5 && whole.alike.count == 4)
            #expect(try await book(whole, owed, directory).status == 201)
            for line in lines where line.id != whole.id {
                #expect(try await book(line, owed, directory).problem().slug == "bank-line-alike")
            }
        }
    }

    @Test(
        "booking a line while it is being grouped with a booked one is refused; under the former rule both are booked",
        arguments: [true, false])
    func race(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let owed = try await contribution(directory)
            try await send(.camt([Self.apart]), directory)
            var other = Self.whole
            (other.day, other.reference) = ("2026-10-19", "W6")
            try await send(.camt([other]), directory)
            let lines = try await lines(directory)
            let whole = try #require(lines.first { $0.amount.amount == 240_000 })
            #expect(lines.count == 3 && lines.allSatisfy { $0.alike == [] })
            let parts = lines.filter { $0.amount.amount == 120_000 }
            if !isGuarded {
                // As before: the group as it was before the wait.
                try await directory.database.withClient { client in
                    try await client.execute(
                        """
                        do $$ begin
                            execute replace(
                                pg_get_functiondef('directory.book_bank_line'::regproc), 'leader := now_leader;', 'exit;');
                        end $$
                        """)
                    let row = try await client.first(
                        "select prosrc like '%leader := now%' as loops from pg_proc where proname = 'book_bank_line'")
                    #expect(try row?["loops", as: Bool.self] == false)
                }
            }
            let status = try await directory.database.withClient(searchPath: "directory") { client in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    try await client.transaction { transaction in
                        try await transaction.execute(
                            "update bank_line set alike = \(parts[0].id) where id in (\(parts[1].id), \(whole.id))")
                        try await transaction.execute("update bank_line set state = 'booked' where id = \(whole.id)")
                        group.addTask { try await book(parts[1], owed, directory).status }
                        while try await !isWaiting(directory) { try await Task.sleep(for: .milliseconds(20)) }
                    }
                    return try await group.next()
                }
            }
            #expect(status == (isGuarded ? 409 : 201))
        }
    }

    // MARK: -

    private func isWaiting(_ directory: TestService) async throws -> Bool {
        let row = try await directory.backend.database.first(
            """
            select count(*) as count from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%bank_booking%'
            """)
        return try (row?["count", as: Int.self] ?? 0) > 0
    }

    private func contribution(_ directory: TestService) async throws -> Contribution {
        let member = try await directory.member("Alpha")
        let operating = try directory.client(.operator)
        _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
        return try #require(
            try await operating.send(ListContributions.request(query: .init(.init(organization: member.id)))).items
                .first)
    }

    private func book(
        _ line: BankLine, _ owed: Contribution, _ directory: TestService, _ more: String = ""
    ) async throws -> RawAnswer {
        try await directory.ask(
            .post, "/v1/bank-lines/\(line.id)/bookings", json: #"{"contribution":"\#(owed.id)"\#(more)}"#)
    }

    private func send(_ file: File, _ directory: TestService) async throws { try await send(file.bytes, directory) }

    private func send(_ bytes: [UInt8], _ directory: TestService) async throws {
        let isXML = bytes.first == UInt8(ascii: "<")
        let answer = try await directory.raw(
            .post, "/v1/bank-statements\(isXML ? "" : "?account=\(BankStatementTests.account)")", role: .operator,
            headers: ["Content-Type": isXML ? "application/xml" : "text/csv"], body: bytes)
        #expect(answer.status == 201, "\(answer.text)")
    }

    private func lines(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(limit: 200))).items
    }
}
