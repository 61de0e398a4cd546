import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import Synchronization
import TestKit
import Testing

@testable import Directory

@Suite("rows of one file about the same record")
struct RowQueueTests {
    @Test("rows wait for earlier rows with a common key, and for no others")
    func order() {
        var queue = RowQueue(keys: [["a"], ["b"], ["a", "b"], ["c", "c"], ["b"], []])
        #expect(queue.ready == [0, 1, 3, 5])
        queue.finish([0, 3, 5])
        #expect(queue.ready == [1])
        queue.finish([1])
        #expect(queue.ready == [2])
        queue.finish([2])
        #expect(queue.ready == [4])
        queue.finish([4])
        #expect(queue.ready == [])
    }

    @Test("whatever keys the rows have, each is ready once and after all that share one")
    func anyKeys() {
        var random = SystemRandomNumberGenerator()
        for _ in 1...50 {
            let keys = (0..<60).map { _ in
                (0..<Int.random(in: 0...3, using: &random)).map { _ in "\(UInt8.random(in: 0..<20))" }
            }
            var queue = RowQueue(keys: keys)
            var order: [Int] = []
            while !queue.ready.isEmpty {
                // Not always all of them: some may have to wait for another reason.
                let done = Array(queue.ready.prefix(Int.random(in: 1...queue.ready.count, using: &random)))
                order += done
                queue.finish(done)
            }
            #expect(order.sorted() == Array(0..<60))
            for (place, row) in order.enumerated() {
                let earlier = Set(order[..<place])
                for other in 0..<row where !Set(keys[row]).isDisjoint(with: keys[other]) {
                    #expect(earlier.contains(other))
                }
            }
        }
    }

    @Test("a thousand rows with one key are matched twice each, and not once for each row before them")
    func linear() async throws {
        try await withDirectory { directory in
            let rows = (1...1000).map { CountedRow(row: $0) }
            let header = try ImportHeader<ExpertColumn>(["name"])
            let writer = ImportWriter<CountedRow>(
                matching: .init(existing: .update, id: Import.ID(), phase: .last), header: header,
                principal: .service(.directory))
            let outcome = try await directory.backend.database.transaction(retries: 0) { transaction in
                try await writer.write(rows, in: transaction)
            }
            #expect(outcome.rows.map(\.row) == Array(1...1000))
            #expect((outcome.count(.created), outcome.count(.skipped)) == (1, 999))
            // The waiting rows, once more; matching the remainder repeatedly would have been 500,500.
            #expect(CountedRow.matched.withLock { $0 } == 1999)
        }
    }

    @Test("a file that repeats one expert is imported, row by row")
    func same() async throws {
        try await withDirectory { directory in
            var file = "name,email,type,postalCode,commune,website\n"
            for number in 1...2500 { file += "Un,un@example.org,agence,64000,Pau,un\(number / 2).example\n" }
            let report = try await directory.report(file, "?mode=apply&rejects=skipRow")
            #expect(report.errors == [] && (report.rows, report.created) == (2500, 1))
            #expect((report.updated, report.skipped) == (1250, 1249))
            let expert = try await directory.client(.operator).send(ListExperts.request(query: .init())).items
            #expect(expert.map(\.website) == ["https://un1250.example"] && expert.first?.version == 1251)
        }
    }
}

/// A row where all are the same record; counts the matches, and writes nothing.
private struct CountedRow: ImportedRow {
    static let entity = EntityName.expert
    static let noun = "expert"
    static let matched = Mutex(0)
    static let made = Mutex<Identifier<ImportRow>?>(nil)

    var row: Int
    var id: Identifier<ImportRow>?
    var missingForNew: ExpertColumn? { nil }

    mutating func read(_ cell: String, as column: ExpertColumn, _ topics: TopicVocabulary) throws(InvalidText) {}
    mutating func conclude() throws(InvalidText) {}

    private struct Sent: Decodable {
        var row: Int
        var id: Identifier<ImportRow>?
    }

    private static func sent(_ rows: JSONText) throws -> [Sent] {
        try JSONDecoder().decode([Sent].self, from: Data(rows.text.utf8))
    }

    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        let rows = try sent(rows)
        matched.withLock { $0 += rows.count }
        let records = made.withLock { $0.map { [$0] } }
        return rows.map { ImportMatch(row: $0.row, records: records, fault: nil, keys: ["name un"]) }
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut] {
        let first = try sent(rows).first?.id
        made.withLock { $0 = first }
        return []
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] { [] }
}
