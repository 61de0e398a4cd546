import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The expected result for a table of `../shared/data`.
struct WildFile: CustomTestStringConvertible, Sendable {
    /// Relative to that folder.
    let path: String
    /// The import that it is sent to.
    var intake = Import.Records.organizations
    /// Records that are not empty, including the headers.
    let records: Int
    /// The digest of all cells, by ``RowDigest``, as Python's `csv` reads them: with our delimiter; each field as UTF-8
    /// or otherwise as Windows-1252; without empty records, and without remarks before the headers.
    let digest: UInt64
    let outcome: Outcome
    /// Some values that must be found afterwards, letter by letter: names and streets of organizations, full names of
    /// people. A line break within a cell has become a space.
    var names: [String] = []

    enum Outcome: Equatable {
        /// 422: it is not a table of such records.
        case refused(String)
        /// The remaining rows add nothing new.
        case taken(created: Int, updated: Int = 0, rejected: [String: Int] = [:])
    }

    var testDescription: String { path }

    static let noHeader = "The first line has no column for name, SIRET or e-mail: it must have the headers."
    static let empty = "The file is empty: its first line must have the headers."
}

@Suite("files from the wild", .enabled(if: SharedData.isThere, SharedData.absent))
struct WildFileTests {
    private static let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

    @Test("every table in the folder has an expectation")
    func complete() throws {
        let all = try #require(FileManager.default.enumerator(atPath: SharedData.folder.path))
        let tables = all.compactMap { $0 as? String }.filter { $0.hasSuffix(".csv") || $0.hasSuffix(".tsv") }
        #expect(Set(tables).symmetricDifference(WildFile.all.map(\.path)).sorted() == [])
    }

    @Test("each is read as by an independent reader, cell by cell, however its bytes arrive", arguments: WildFile.all)
    func cells(of file: WildFile) throws {
        let bytes = try SharedData.bytes(file.path)
        for size in bytes.count < 100_000 ? [1, bytes.count] : [4093] {
            var reader = CSVReader()
            var digest = RowDigest()
            var count = 0
            var rest = bytes[...]
            while !rest.isEmpty {
                for record in reader.read(rest.prefix(size)) {
                    digest.add(record)
                    count += 1
                }
                rest = rest.dropFirst(size)
            }
            for record in reader.finish() {
                digest.add(record)
                count += 1
            }
            #expect(count == file.records && UInt64(bitPattern: Int64(digest.value)) == file.digest)
        }
    }

    @Test("each is imported as it is, or refused with a reason, and imported once", arguments: WildFile.all)
    func intake(of file: WildFile) async throws {
        try await withDirectory { directory in
            let bytes = try SharedData.bytes(file.path)
            func send(_ records: Import.Records, _ query: String) async throws -> RawAnswer {
                try await directory.raw(
                    .post, "/v1/imports/\(records.rawValue)\(query)", role: .operator,
                    headers: ["Content-Type": "text/csv"], body: bytes)
            }
            let query = "?mode=apply&rejects=skipRow" + (file.intake == .organizations ? "&kind=institution" : "")
            let answer = try await send(file.intake, query)
            if answer.status == 422 {
                #expect(try file.outcome == .refused(answer.problem().detail ?? ""))
                #expect(try await directory.ask("/v1/\(file.intake.rawValue)").items("id").isEmpty)
            } else {
                let report = try answer.decode(ImportReport.self)
                #expect(report.applied && report.rows == file.records - 1)
                let rejected = try await faults(of: report.import, in: directory)
                let outcome = WildFile.Outcome.taken(
                    created: report.created, updated: report.updated, rejected: rejected)
                #expect(outcome == file.outcome)
                print(
                    "@@\(file.path)\t\(report.rows)\t\(report.created)\t\(report.updated)\t\(report.skipped)\t\(rejected)"
                )
                #expect(try await missing(of: file.names, in: directory) == [])
                let again = try await send(file.intake, query).decode(ImportReport.self)
                #expect(again.created == 0 && again.rejected == report.rejected)
            }
            // Every kind of import gives a response; large files only in a long run.
            guard Self.isLong || bytes.count < 100_000 else { return }
            for records in Import.Records.allCases where records != file.intake {
                let status = try await send(records, "").status
                #expect([200, 422].contains(status))
            }
        }
    }

    /// How often each reason was given.
    private func faults(of id: Import.ID, in directory: TestService) async throws -> [String: Int] {
        let rows = try await directory.backend.database.query(
            """
            select coalesce(fault ->> 'column' || ': ', '') || (fault ->> 'detail') as reason, count(*) as count
            from import_row, jsonb_array_elements(errors) as fault where import = \(id) group by 1
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { row in (try row["reason"], try row["count"]) })
    }

    private func missing(of names: [String], in directory: TestService) async throws -> [String] {
        let rows = try await directory.backend.database.query(
            """
            select name from unnest(\(names)) as name
            where name not in (
                select name from organization union all select full_name from person
                union all select street from organization where street is not null)
            """)
        return try rows.map { row in try row["name"] }
    }
}
