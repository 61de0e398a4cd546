import ClubProtocol
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// A file whose rest arrives when the test wants, or never.
struct TornFile: AsyncSequence, Sendable {
    struct Cut: Error {}
    typealias Element = ByteBuffer

    let text: String
    /// Without it, the file breaks off.
    var rest: String?
    /// Returns when the rest may be sent.
    let taken: @Sendable () async throws -> Void

    func makeAsyncIterator() -> Iterator { Iterator(text: text, rest: rest, taken: taken) }

    struct Iterator: AsyncIteratorProtocol {
        var text: String?
        var rest: String?
        let taken: @Sendable () async throws -> Void
        private var isOver = false

        init(text: String, rest: String?, taken: @escaping @Sendable () async throws -> Void) {
            self.text = text
            self.rest = rest
            self.taken = taken
        }

        mutating func next() async throws -> ByteBuffer? {
            if let text {
                self.text = nil
                return ByteBuffer(string: text)
            }
            guard !isOver else { return nil }
            isOver = true
            try await taken()
            guard let rest else { throw Cut() }
            return ByteBuffer(string: rest)
        }
    }
}

@Suite("one file, sent twice at once")
struct ImportRaceTests {
    private static let count = 2500

    private static var file: String {
        var file = "name,email,type,postalCode,commune\n"
        for number in 1...count { file += "Agence \(number),a\(number)@example.org,agence,64000,Pau\n" }
        return file
    }

    /// Sends the file as a whole, and stops it in the middle at a row whose expert is locked, until `meanwhile` is
    /// done.
    private func send(
        _ id: Import.ID, in directory: TestService,
        meanwhile: (Task<ImportReport, any Error>) async throws -> Void
    ) async throws -> ImportReport {
        let known = try await directory.expert("Ancien") { $0.email = "a1500@example.org" }
        let client = try directory.client(.operator)
        let sending = try await directory.database.withClient { blocker in
            try await blocker.transaction { transaction in
                try await transaction.execute("select from directory.expert where id = \(known.id) for update")
                let sending = Task {
                    try await client.upload(
                        ImportExperts.request(query: .init(import: id, mode: .apply)),
                        body: TornFile(text: String(Self.file.dropLast()), rest: "\n") {})
                }
                for _ in 0..<1000 {
                    let row = try await directory.backend.database.first("select rows from import where id = \(id)")
                    if try row?["rows", as: Int.self] == 1000 { break }
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await meanwhile(sending)
                return sending
            }
        }
        return try await sending.value
    }

    private func experts(in directory: TestService) async throws -> Int? {
        try await directory.backend.database.first("select count(*) as count from expert")?["count"]
    }

    @Test("while one attempt is running, another is told so and does not disturb it")
    func whole() async throws {
        try await withDirectory { directory in
            let id = Import.ID()
            let query = "?mode=apply&import=\(id)"
            let report = try await send(id, in: directory) { _ in
                for _ in 1...3 {
                    let other = try await directory.imports(Array(Self.file.utf8), query)
                    #expect(try other.problem().slug == "import-running")
                }
            }
            #expect(report.applied && (report.rows, report.created) == (Self.count, Self.count - 1))
            let taken = try await experts(in: directory)
            #expect(taken == Self.count)
            #expect(try await directory.report(Self.file, query) == report)
            let attempts = try await directory.backend.database.first("select attempt from import where id = \(id)")
            #expect(try attempts?["attempt", as: Int.self] == 1)
        }
    }

    @Test("without first checking for a running attempt, neither would finish")
    func wholeWithoutGuard() async throws {
        try await withDirectory { directory in
            let id = Import.ID()
            let first: ImportReport? = try? await send(id, in: directory) { _ in
                let order = ImportLedger.Order(
                    id: id, key: nil, actor: "test", records: .experts, mode: .apply, rejects: .refuseFile,
                    existing: .update)
                _ = try await directory.backend.database.transaction {
                    try await ImportLedger.claim(order, in: $0)
                }
            }
            #expect(first == nil)
            let taken = try await experts(in: directory)
            #expect(taken == 1)
        }
    }

    @Test("files that wait leave the connections to others, and each has its turn")
    func turns() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let ids = (0..<8).map { _ in Import.ID() }
            let sending = try await directory.database.withClient { blocker in
                try await blocker.transaction { transaction in
                    try await transaction.execute(
                        "select pg_advisory_xact_lock(hashtextextended('directory.imports.people', 0))")
                    let sending = ids.enumerated().map { number, id in
                        Task {
                            try await client.upload(
                                ImportPeople.request(query: .init(import: id, mode: .apply, rejects: .skipRow)),
                                body: TornFile(text: "nom,prénom,e-mail\n", rest: "Été,Ada,a\(number)@a.example\n") {})
                        }
                    }
                    try await eventually("all wait") {
                        let row = try await transaction.first("select count(*) as count from directory.import")
                        return try row?["count", as: Int.self] == ids.count
                    }
                    for number in 0..<10 {
                        _ = try await directory.person("Luc", "Été", email: .init(validating: "l\(number)@a.example"))
                        #expect(try await directory.raw(.get, "/annuaire").status == 200)
                    }
                    return sending
                }
            }
            for task in sending { #expect(try await task.value.created == 1) }
        }
    }

    @Test("a request whose key is just being claimed is told so, and does not wait")
    func sameKey() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient { blocker in
                try await blocker.transaction { transaction in
                    // As if its commit were not confirmed.
                    try await transaction.execute(
                        "select pg_advisory_xact_lock(hashtextextended('directory.import.key.test.k', 0))")
                    let order = ImportLedger.Order(
                        id: nil, key: "k", actor: "test", records: .people, mode: .apply, rejects: .skipRow,
                        existing: .update)
                    let problem = await #expect(throws: Problem.self) {
                        try await directory.backend.database.transaction {
                            try await ImportLedger.claim(order, in: $0)
                        }
                    }
                    #expect(problem?.type == .stillRunning && problem?.headers[.retryAfter] == "1")
                }
            }
        }
    }

    @Test("a file sent as a whole is rolled back when its sender is gone, including the ledger")
    func gone() async throws {
        try await withDirectory { directory in
            let id = Import.ID()
            let client = try directory.client(.operator)
            func now() async throws -> Import { try await client.send(GetImport.request(path: id)) }
            await #expect(throws: (any Error).self) {
                try await send(id, in: directory) { sending in
                    #expect(try await now().created == 1000)
                    sending.cancel()
                    var state = try await now().state
                    for _ in 0..<500 where state == .running {
                        try await Task.sleep(for: .milliseconds(10))
                        state = try await now().state
                    }
                }
            }
            let left = try await now()
            #expect((left.state, left.rows, left.created) == (ImportState.interrupted, 0, 0))
            let rows = try await client.send(
                ListImportRows.request(path: id, query: .init(), body: Empty()))
            #expect(rows.items.isEmpty)
            let taken = try await experts(in: directory)
            #expect(taken == 1)
            let report = try await directory.report(Self.file, "?mode=apply&import=\(id)")
            #expect(report.applied && (report.rows, report.created) == (Self.count, Self.count - 1))
        }
    }

    @Test("while a whole file is being received, it holds no transaction open", arguments: Import.Mode.allCases)
    func slow(mode: Import.Mode) async throws {
        try await withDirectory { directory in
            let file = Self.file
            let cut = file.index(file.startIndex, offsetBy: file.count / 2)
            let torn = TornFile(text: String(file[..<cut]), rest: String(file[cut...])) {
                for _ in 1...50 {
                    let row = try await directory.backend.database.first(
                        """
                        select count(*) as locks from pg_locks
                        where locktype = 'advisory' and ((classid::bigint << 32) | objid::bigint)
                            = hashtextextended('directory.imports.experts', 0)
                        """)
                    #expect(try row?["locks", as: Int.self] == 0)
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            let report = try await directory.client(.operator).upload(
                ImportExperts.request(query: .init(mode: mode)), body: torn)
            #expect((report.rows, report.created) == (Self.count, Self.count))
        }
    }

    @Test("a file that does not fit on the disk, or for which there is no place, is refused until there is room")
    func full() async throws {
        let file = SpooledFile(descriptor: open("/dev/full", O_RDWR))
        let refusal = await #expect(throws: Problem.self) { try await file.append(ByteBuffer(string: "name")) }
        #expect(refusal?.type == .unavailable)
        #expect(throws: Problem.self) { try SpooledFile(in: "/nowhere") }
    }

    @Test("another file under the identifier or key of a finished import is refused")
    func another() async throws {
        try await withDirectory { directory in
            func post(_ file: String, _ query: String, key: String? = nil) async throws -> RawAnswer {
                var headers = ["Content-Type": "text/csv"]
                headers["Idempotency-Key"] = key
                return try await directory.raw(
                    .post, "/v1/imports/experts\(query)", role: .operator, headers: headers, body: Array(file.utf8))
            }
            let file = "name,type,postalCode,commune\nUn,agence,64000,Pau\n"
            for rejects in Import.Rejects.allCases {
                let query = "?mode=apply&rejects=\(rejects.rawValue)"
                let named = "\(query)&import=\(Import.ID())"
                let key = rejects.rawValue
                let reports = (
                    try await post(file, named).decode(ImportReport.self),
                    try await post(file, query, key: key).decode(ImportReport.self)
                )
                for other in [file + "Deux,agence,64000,Pau\n", file.replacing("Un", with: "Une"), "name,type\n"] {
                    let problems = (
                        try await post(other, named).problem(), try await post(other, query, key: key).problem()
                    )
                    #expect((problems.0.slug, problems.0.status) == ("another-file", 409))
                    #expect((problems.1.slug, problems.1.status) == ("idempotency-key-reused", 422))
                }
                #expect(try await post(file, named).decode(ImportReport.self) == reports.0)
                #expect(try await post(file, query, key: key).decode(ImportReport.self) == reports.1)
            }
            // A refused file may be corrected under its identifier, but a request is not repeated with other content.
            let bad = file.replacing("64000", with: "640")
            let refused = try await post(bad, "?mode=apply", key: "bad").decode(ImportReport.self)
            #expect(!refused.applied)
            #expect(try await post(bad, "?mode=apply", key: "bad").decode(ImportReport.self) == refused)
            #expect(try await post(file, "?mode=apply", key: "bad").problem().slug == "idempotency-key-reused")
            #expect(try await post(file, "?mode=apply&import=\(refused.import)").decode(ImportReport.self).applied)
        }
    }

    @Test("of many concurrent requests with one key, one is the import; the others get it or learn that it is running")
    func key() async throws {
        try await withDirectory { directory in
            let file = Array(Self.file.utf8)
            func post(_ query: String, key: String) async throws -> RawAnswer {
                try await directory.raw(
                    .post, "/v1/imports/experts\(query)", role: .operator,
                    headers: ["Content-Type": "text/csv", "Idempotency-Key": key], body: file)
            }
            for rejects in Import.Rejects.allCases {
                let query = "?mode=apply&rejects=\(rejects.rawValue)"
                let answers = try await withThrowingTaskGroup(of: RawAnswer.self) { group in
                    for _ in 1...4 { group.addTask { try await post(query, key: rejects.rawValue) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let reports = try answers.filter { $0.status == 200 }.map { try $0.decode(ImportReport.self) }
                #expect(!reports.isEmpty && Set(reports.map(\.import)).count == 1)
                #expect(reports.allSatisfy { $0.applied && $0.rows == Self.count })
                #expect(answers.allSatisfy { $0.status == 200 || $0.status == 409 })
                // Later as well; another key is another import.
                let again = try await post(query, key: rejects.rawValue).decode(ImportReport.self)
                #expect(again == reports.first)
                let other = try await post(query, key: "other").decode(ImportReport.self)
                #expect(other.import != again.import && other.skipped == Self.count)
                #expect(
                    try await post("?existing=skip", key: rejects.rawValue).problem().slug == "idempotency-key-reused")
                try await directory.backend.database.execute(
                    "update import set request_key = null, requested_by = null where request_key = 'other'")
            }
            let row = try await directory.backend.database.first(
                """
                select (select count(*) from import) as imports, (select count(*) from expert) as experts,
                    (select count(*) from change) as changes
                """)
            #expect(try row?["imports", as: Int.self] == 4)
            #expect(try row?["experts", as: Int.self] == Self.count)
            #expect(try row?["changes", as: Int.self] == Self.count)
        }
    }
}
