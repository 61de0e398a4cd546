import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// SplitMix64: the same seed gives the same test again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// What the API answers of everything there is: a path, and the bytes of its answer.
typealias World = [String: String]

/// A directory in which a generator adds, edits, merges and un-merges, while a model remembers what has to come back.
final class MergeGame {
    struct Played {
        var merge: Merge
        /// Everything as it was before.
        var before: World
        /// When it was played; edits after it do not come back.
        var turn: Int
    }

    let directory: TestService
    var generator: SeededGenerator
    var turn = 0
    var edited: [String: Int] = [:]
    var played: [Played] = []
    var undone = 0
    var refused = 0
    private var added = 0

    init(_ directory: TestService, seed: UInt64) {
        self.directory = directory
        generator = SeededGenerator(seed: seed)
    }

    // MARK: What there is

    func ids(_ list: String) async throws -> [String] {
        try await directory.ask("/v1/\(list)?limit=200").items("id")
    }

    /// Everything, as the lists have it.
    ///
    /// - Parameter records: paths, of which there are the bytes of the answer, and the ETag: it belongs to what has to come
    ///   back.
    func world(bytesOf records: [String] = []) async throws -> World {
        var world: World = [:]
        for list in ["organizations", "people", "experts", "ambassadors", "memberships", "contributions", "mandates"] {
            var cursor = ""
            repeat {
                let page = try await directory.ask("/v1/\(list)?limit=200\(cursor)").json()
                for item in page["items"]?.array ?? [] {
                    world["\(list)/\(item["id"]?.string ?? "")"] = String(
                        decoding: try WireJSON.encode(item), as: UTF8.self)
                }
                cursor = page["next"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
        }
        for path in records where world[path] != nil {
            let answer = try await directory.ask("/v1/\(path)")
            world[path] = "\(answer.headers["etag"] ?? "") \(answer.text)"
        }
        return world
    }

    /// Every column of every table that a merge touches, the floors of versions apart: they are meant to stay.
    func tables() async throws -> [String: String] {
        try await directory.database.withClient(as: "directory") { client in
            var rows: [String: String] = [:]
            for table: SQL in [
                "organization", "person", "expert", "ambassador", "mandate", "membership", "contribution", "payment",
                "consent_entry", "referral_offer",
            ] {
                for row in try await client.query(
                    "select id::text, (to_jsonb(t) - 'version_floor')::text as text from \(table) t")
                {
                    rows["\(table.text)/\(try row["id", as: String.self])"] = try row["text"]
                }
            }
            return rows
        }
    }

    // MARK: Turns

    func random(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private func word() -> String {
        (0..<(3 + random(5))).map { _ in String("aàbcdeéfgilmnorstuz'- ".randomElement(using: &generator) ?? "a") }
            .joined()
    }

    private func day(_ year: ClosedRange<Int>) -> String {
        "\(Int.random(in: year, using: &generator))-0\(1 + random(9))-1\(random(10))"
    }

    @discardableResult
    private func post(_ path: String, _ fields: [String: JSONValue]) async throws -> RawAnswer {
        let body = String(decoding: try WireJSON.encode(fields), as: UTF8.self)
        return try await directory.ask(.post, "/v1/\(path)", json: body)
    }

    private func pick(_ list: String) async throws -> String? {
        try await ids(list).randomElement(using: &generator)
    }

    private func maybe(_ value: @autoclosure () async throws -> String?) async throws -> JSONValue? {
        random(2) == 0 ? try await value().map { .string($0) } : nil
    }

    /// Adds one thing of some kind; one that the rules of the directory refuse is as good.
    func add() async throws {
        added += 1
        var fields: [String: JSONValue] = [:]
        let names: [JSONValue] = ["cloud", "backup", "hosting"].map { .string($0) }
        switch random(8) {
        case 0:
            fields = ["kind": .string("institution"), "name": .string("O \(word())")]
            fields["parent"] = try await maybe(await pick("organizations"))
            fields["postalCode"] = try await maybe("64000")
            fields["email"] = try await maybe("o\(added)@example.org")
            fields["topics"] = .array(Array(names.shuffled(using: &generator).prefix(random(3))))
            try await post("organizations", fields)
        case 1, 2:
            fields = ["givenName": .string("P\(word())"), "familyName": .string("F\(word())")]
            fields["email"] = try await maybe("p\(added)@example.org")
            fields["telephone"] = try await maybe("05590\(10_000 + added)")
            fields["organization"] = try await maybe(await pick("organizations"))
            fields["consents"] = .object([Purpose.allCases[random(4)].rawValue: .bool(random(2) == 0)])
            try await post("people", fields)
        case 3:
            fields = [
                "subKind": .string("webAgency"), "name": .string("E \(word())"), "postalCode": .string("64000"),
                "commune": .string("Pau"), "topics": .array(Array(names.shuffled(using: &generator).prefix(2))),
            ]
            fields["email"] = try await maybe("e\(added)@example.org")
            fields["consents"] = .object(["flashInfo": .bool(random(2) == 0)])
            try await post("experts", fields)
        case 4, 5:
            guard let organization = try await pick("organizations"), let person = try await pick("people") else {
                return
            }
            fields = ["person": .string(person), "from": .string(day(2020...2025))]
            fields["kind"] = .string(random(3) == 0 ? "titular" : "alternate")
            fields["until"] = try await maybe(day(2026...2028))
            try await post("organizations/\(organization)/mandates", fields)
        case 6:
            guard let person = try await pick("people") else { return }
            fields["person"] = .string(person)
            fields["organization"] = try await maybe(await pick("organizations"))
            try await post("ambassadors", fields)
        default:
            guard let organization = try await pick("organizations") else { return }
            let year = 2024 + random(3)
            try await post(
                "memberships",
                [
                    "organization": .string(organization), "tier": .string("standard"),
                    "from": .string("\(year)-01-01"), "until": .string("\(year)-12-31"),
                ])
            if random(3) == 0 { try await post("contribution-calls", ["year": .integer(year)]) }
        }
    }

    /// Edits one record by its API.
    func edit() async throws {
        let list = ["organizations", "people", "experts", "ambassadors", "contributions"][random(5)]
        guard let id = try await pick(list) else { return }
        let path = "\(list)/\(id)"
        if list == "contributions" {
            let paid = try await post(
                "\(path)/payments",
                [
                    "amount": .object(["amount": .integer(1 + random(10)), "currency": .string("EUR")]),
                    "paidOn": .string("2026-01-01"),
                ])
            if paid.status == 201 { edited[path] = turn }
            return
        }
        let patch =
            switch list {
            case "people":
                random(2) == 0 ? #"{"familyName":"\#(word())x"}"# : #"{"telephone":"05591\#(10_000 + turn)"}"#
            case "ambassadors": #"{"topics":["training"]}"#
            default: random(2) == 0 ? #"{"name":"\#(word())x"}"# : #"{"email":"x\#(turn)@example.org"}"#
            }
        let version = try await directory.ask("/v1/\(path)").json()["version"]?.integer
        let answer = try await directory.ask(.patch, "/v1/\(path)", ifMatch: version, json: patch)
        guard answer.status == 200 else { return }
        edited[path] = turn
        // A person's name is their enrolment's too, without an edit of it.
        guard list == "people" else { return }
        for ambassador in try await directory.ask("/v1/ambassadors?limit=200").json()["items"]?.array ?? []
        where ambassador["person"]?.string == id {
            edited["ambassadors/\(ambassador["id"]?.string ?? "")"] = turn
        }
    }

    func merge() async throws {
        let kind = RecordKind.allCases[random(3)]
        let all = try await ids(kind.path)
        guard all.count > 2 else { return }
        let pair = all.shuffled(using: &generator).prefix(2)
        let records = pair.map { "\(kind.path)/\($0)" }
        let before = try await world(bytesOf: records)
        var fields: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "survivor": .string(pair[0]), "merged": .string(pair[1]),
        ]
        if random(3) == 0 { fields["choices"] = .object(["email": .string(random(2) == 0 ? "merged" : "survivor")]) }
        let answer = try await post("merges", fields)
        if answer.status == 201 {
            played.append(Played(merge: try answer.decode(Merge.self), before: before, turn: turn))
        } else {
            refused += 1
            #expect(answer.status == 409, "\(answer.text)")
            #expect(try await world(bytesOf: records) == before, "a refused merge changed something")
        }
    }

    /// Undoes any of the merges; one that others were built on is refused, and changes nothing.
    func undo() async throws {
        guard !played.isEmpty else { return }
        try await undo(at: random(played.count))
    }

    func undo(at index: Int) async throws {
        let choice = played[index]
        let records = records(of: choice.merge)
        let before = try await world(bytesOf: records)
        let answer = try await directory.ask(.post, "/v1/merges/\(choice.merge.id)/undo", json: "{}")
        if answer.status == 200 {
            played.remove(at: index)
            undone += 1
            let differences = differences(of: choice, to: try await world(bytesOf: records))
            #expect(differences.isEmpty, "\(differences.sorted().joined(separator: "\n"))")
        } else {
            refused += 1
            #expect(try answer.problem().slug == "merge-followed", "\(answer.text)")
            #expect(try await world(bytesOf: records) == before, "a refused undo changed something")
        }
    }

    func records(of merge: Merge) -> [String] {
        ["\(merge.kind.path)/\(merge.survivor)", "\(merge.kind.path)/\(merge.merged)"]
    }

    /// What is not as it was before a merge that has been undone: both records, whatever else happened; and everything that
    /// referred to the merged one, where it has not been edited since. Of what was edited, the reference.
    func differences(of choice: Played, to world: World) -> [String] {
        let merge = choice.merge
        let path = merge.kind.path
        var result: [String] = []
        for record in records(of: merge)
        where world[record] != choice.before[record] {
            result.append("\(record): \(world[record] ?? "gone") instead of \(choice.before[record] ?? "nothing")")
        }
        for (record, text) in choice.before
        where text.contains(merge.merged.text) && !record.hasPrefix(path + "/\(merge.merged)") {
            let now = world[record] ?? "gone"
            if let edit = edited[record], edit >= choice.turn {
                if !now.contains(merge.merged.text) { result.append("\(record) does not refer to the merged record") }
            } else if now != text {
                result.append("\(record): \(now) instead of \(text)")
            }
        }
        return result
    }
}

@Suite("un-merge", .serialized)
struct UnmergeTests {
    /// `MERGE_SEED` repeats a run; `LONG_TESTS=1` plays a long one.
    private static let seed: UInt64 =
        ProcessInfo.processInfo.environment["MERGE_SEED"].flatMap(UInt64.init) ?? .random(in: .min ... .max)
    private static let turns = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1" ? 1500 : 220

    @Test(
        "over random merges, edits and undos, each undo brings back both records and what referred to them, to the byte"
    )
    func game() async throws {
        print("MERGE_SEED=\(Self.seed)")
        try await withDirectory { directory in
            let game = MergeGame(directory, seed: Self.seed)
            for _ in 0..<60 { try await game.add() }
            while game.turn < Self.turns {
                game.turn += 1
                switch game.random(10) {
                case 0, 1: try await game.add()
                case 2, 3: try await game.edit()
                case 4, 5, 6: try await game.merge()
                default: try await game.undo()
                }
            }
            #expect(game.undone > 5, "MERGE_SEED=\(Self.seed)")
            #expect(game.refused > 0, "MERGE_SEED=\(Self.seed)")
        }
    }

    @Test("merges undone from the last to the first leave every column of every table as it was")
    func everything() async throws {
        print("MERGE_SEED=\(Self.seed)")
        try await withDirectory { directory in
            let game = MergeGame(directory, seed: Self.seed)
            for _ in 0..<80 { try await game.add() }
            let (world, tables) = (try await game.world(), try await game.tables())
            for _ in 0..<30 { try await game.merge() }
            #expect(game.played.count > 3, "MERGE_SEED=\(Self.seed)")
            #expect(try await game.world() != world)
            while !game.played.isEmpty {
                let left = game.played.count
                try await game.undo(at: left - 1)
                guard game.played.count < left else { break }
            }
            #expect(try await game.world() == world, "MERGE_SEED=\(Self.seed)")
            #expect(try await game.tables() == tables, "MERGE_SEED=\(Self.seed)")
        }
    }

    @Test("the comparison notices one letter, one reference and one version that is not as it was")
    func control() async throws {
        for tampering: SQL in [
            "update merge set before = jsonb_set(before, '{family_name}', '\"Etcheverrx\"')",
            "update merge set steps = jsonb_set(steps, '{0,image,given_name}', '\"Anna\"')",
            "update merge set steps = jsonb_set(steps, '{0,image,version}', '7')",
            "update merge set steps = jsonb_set(steps, '{0,moves}', '[]')",
            "update merge set steps = jsonb_set(steps, '{0,moves,0,rows,0,was,version}', '7')",
        ] {
            try await withDirectory { directory in
                let game = MergeGame(directory, seed: 1)
                let home = try await directory.organization("Maison")
                let own = try await directory.person("Ana", "Etcheverry")
                let other = try await directory.person("Ana", "Echeverry")
                _ = try await directory.mandate(other.id, of: home.id, .titular, from: "2026-01-01")
                let before = try await game.world(bytesOf: ["people/\(own.id)", "people/\(other.id)"])
                let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
                let played = MergeGame.Played(merge: merge, before: before, turn: 1)
                try await directory.database.withClient(as: "directory") { _ = try await $0.execute(tampering) }
                _ = try await directory.undo(merge)
                let after = try await game.world(bytesOf: game.records(of: merge))
                #expect(game.differences(of: played, to: after).count == 1, "\(tampering.text)")
            }
        }
    }
}
