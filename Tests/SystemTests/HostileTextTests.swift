import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import Synchronization
import TestKit
import Testing

/// The worst known texts, sent to every operation of every service, in every place that takes text.
@Suite("hostile texts", .serialized)
struct HostileTextTests {
    /// What is counted of the responses.
    private struct Tally {
        var asked = 0
        var statuses: [Int: Int] = [:]
        var failed: [String] = []
        var taken: [String] = []
    }

    /// `LONG_TESTS=1` sends every text to every operation and in every header field. A short run sends the costliest
    /// one to all operations, one of the others to every fourth, the header fields, which are read before routing, to
    /// every eighth, and bodies of a quarter of the length: quadratic costs still show.
    private static let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"
    private static let bodyBytes = isLong ? 60_000 : 15_000

    private static let fields = [
        "Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Club-Timeout", "traceparent", "X-Request-ID",
        "Content-Encoding", "Cookie",
    ]

    @Test("no operation fails or accepts one that must be refused, and others are answered meanwhile")
    func walk() async throws {
        try await TestClub.run { club in
            for service in ServiceName.allCases {
                let operations = try await WalkedOperation.all(of: service, in: club)
                let done = Atomic<Bool>(false)
                async let reading = read(club[service], as: try club.token(), until: done)
                let tally: Tally
                do {
                    tally = try await walk(operations, in: club)
                    done.store(true, ordering: .relaxed)
                } catch {
                    done.store(true, ordering: .relaxed)
                    throw error
                }
                let waits = try await reading.sorted()
                func percentile(_ share: Double) -> String {
                    String(format: "%.1f ms", (waits[Int(Double(waits.count - 1) * share)]) * 1000)
                }
                print(
                    "\(service): \(operations.count) operations, \(tally.asked) hostile requests \(tally.statuses);",
                    "another connection: \(waits.count) reads, p50 \(percentile(0.5)), p99 \(percentile(0.99)),",
                    "most \(percentile(1))")
                #expect(tally.asked > operations.count * 2)
                #expect(tally.failed.isEmpty, "\(tally.failed.prefix(10))")
                #expect(tally.taken.isEmpty, "\(tally.taken.prefix(10))")
                #expect(club[service].isRunning)
            }
        }
    }

    /// Reads on a connection of its own; returns how long each read took, in seconds.
    private func read(_ service: ServiceProcess, as token: String, until done: borrowing Atomic<Bool>) async throws
        -> [Double]
    {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var waits: [Double] = []
        let clock = ContinuousClock()
        while !done.load(ordering: .relaxed) {
            var request = HTTPClientRequest(url: "\(service.url)/v1/webhooks?limit=1")
            request.headers = ["Authorization": "Bearer \(token)"]
            let start = clock.now
            let response = try await http.execute(request, timeout: .seconds(60))
            _ = try await response.body.collect(upTo: 1 << 20)
            #expect(response.status == .ok)
            waits.append((clock.now - start) / .seconds(1))
            try await Task.sleep(for: .milliseconds(2))
        }
        try await http.shutdown()
        return waits
    }

    private func walk(_ operations: [WalkedOperation], in club: TestClub) async throws -> Tally {
        var tally = Tally()
        var turn = 0
        for operation in operations {
            turn += 1
            var texts = [HostileText.marks]
            let others = HostileText.allCases.filter { !$0.isUnsafe }
            if Self.isLong {
                texts += others
            } else if turn.isMultiple(of: 4) {
                texts.append(others[turn / 4 % others.count])
            }
            for hostile in texts {
                try await walk(
                    operation, hostile, fields: Self.isLong || turn % 8 == 1 ? Self.fields : [], in: club, &tally)
            }
        }
        return tally
    }

    private func walk(
        _ operation: WalkedOperation, _ hostile: HostileText, fields: [String], in club: TestClub,
        _ tally: inout Tally
    ) async throws {
        func ask(
            _ place: String, isRead: Bool = true, path: String? = nil, query: String = "",
            headers: [(String, String)] = [], body: [UInt8]? = nil
        ) async throws {
            let status = try await operation.send(to: club, path: path, query: query, headers: headers, body: body)
            tally.asked += 1
            tally.statuses[status, default: 0] += 1
            let name = "\(operation.method) \(operation.path) \(place) \(hostile): \(status)"
            // 503: a peer that does not know the identifier.
            if status >= 500, status != 503 { tally.failed.append(name) }
            if isRead, hostile.isUnsafe, status < 400 { tally.taken.append(name) }
        }
        let short = WalkedOperation.percent(hostile.text(bytes: 2000))
        for variable in operation.variables {
            try await ask("variable \(variable)", path: operation.path(filling: variable, with: short))
        }
        try await ask("parameter", query: "?\(short)=1")
        for parameter in operation.parameters { try await ask(parameter, query: "?\(parameter)=\(short)") }
        for field in fields { try await ask(field, headers: [(field, hostile.text(bytes: 20_000))]) }
        let text = hostile.text(bytes: Self.bodyBytes)
        switch operation.media {
        case "application/json":
            for variant in WalkedOperation.variants(of: operation.body, with: text) {
                try await ask("body", body: try WireJSON.encode(variant))
            }
        case "application/x-www-form-urlencoded":
            let form = WalkedOperation.members(operation.body)
            let text = hostile.text(bytes: 18_000)
            for name in form.keys.sorted() {
                try await ask(name, body: Array(WalkedOperation.form(form, replacing: name, with: text).utf8))
            }
            try await ask("name", body: Array("\(WalkedOperation.percent(text))=1".utf8))
        case "text/csv":
            try await ask("header", body: Array("name;\(text)\nx;y\n".utf8))
            // The row is rejected by its number, the file is not.
            let isBank = operation.path == "/v1/bank-statements"
            let columns =
                isBank
                ? "date;valeur;libelle;debit;credit;contrepartie;iban;reference;devise;compte"
                : "name;siret;email;telephone;website;departement;departements;topics;brands;publicDirectory"
            let count = columns.split(separator: ";").count
            for place in 0..<count {
                let cells = (0..<count).map { $0 == place ? hostile.text(bytes: 20_000) : "" }
                try await ask(
                    "cell \(place)", isRead: false, query: isBank ? "?account=1" : "?mode=dryRun",
                    body: Array("\(columns)\n\(cells.joined(separator: ";"))\n".utf8))
            }
        case "application/xml":
            let schema = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
            for (place, document) in [
                ("name", "<Document xmlns=\"\(schema)\"><\(text)/></Document>"),
                ("namespace", "<Document xmlns=\"\(text)\"/>"),
                ("attribute", "<Document xmlns=\"\(schema)\" \(text)=\"1\"/>"),
                (
                    "texts",
                    """
                    <Document xmlns="\(schema)"><BkToCstmrStmt><Stmt><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct><Ntry>
                    <NtryRef>\(text)</NtryRef><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
                    <BookgDt><Dt>2026-11-20</Dt></BookgDt><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>\(text)</Nm></Dbtr></RltdPties>
                    <RmtInf><Ustrd>\(text)</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>
                    """
                ),
            ] { try await ask(place, isRead: false, body: Array(document.utf8)) }
        default: break
        }
    }
}
