import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("un-merge", .serialized)
struct UnmergeTests {
    /// `MERGE_SEED` repeats a run; `LONG_TESTS=1` plays a long one.
    private static let seed: UInt64 =
        ProcessInfo.processInfo.environment["MERGE_SEED"].flatMap(UInt64.init) ?? .random(in: .min ... .max)
    private static let turns = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1" ? 1500 : 220

    @Test(
        "over random merges, edits and undos, each undo restores both records and all references, byte for byte"
    )
    func game() async throws {
        print("MERGE_SEED=\(Self.seed)")
        try await withDirectory { directory in
            let game = MergeGame(directory, seed: Self.seed)
            for _ in 0..<70 { try await game.add() }
            try await game.grow()
            while game.turn < Self.turns {
                game.turn += 1
                switch game.random(10) {
                case 0, 1: try await game.add()
                case 2, 3: try await game.change()
                case 4, 5, 6: try await game.merge()
                default: try await game.undo()
                }
            }
            #expect(game.undone > 5, "MERGE_SEED=\(Self.seed)")
            #expect(game.refused > 0, "MERGE_SEED=\(Self.seed)")
        }
    }

    @Test("undoing merges from the last to the first leaves every column of every table as it was")
    func everything() async throws {
        print("MERGE_SEED=\(Self.seed)")
        try await withDirectory { directory in
            let game = MergeGame(directory, seed: Self.seed)
            for _ in 0..<90 { try await game.add() }
            try await game.grow()
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

    @Test("a statement made since a merge is expected after its undo on its own record, and nowhere else")
    func kept() async throws {
        try await withDirectory { directory in
            let game = MergeGame(directory, seed: 1)
            let own = try await directory.person("Ana", "A", consents: .init(flashInfo: true))
            let other = try await directory.person("Ana", "B")
            let records = ["people/\(own.id)", "people/\(other.id)"]
            let before = try await game.world(bytesOf: records)
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            let played = MergeGame.Played(merge: merge, before: before, turn: 1)
            let answer = #"{"purpose":"flashInfo","agreed":false}"#
            _ = try await directory.ask(.post, "/v1/people/\(own.id)/consents", json: answer)
            let last = try await game.world(bytesOf: records)
            _ = try await directory.undo(merge)
            let after = try await game.world(bytesOf: records)
            #expect(game.differences(of: played, from: last, to: after).count == 1)
            game.said[records[0]] = ["consents/flashInfo": 2]
            #expect(game.differences(of: played, from: last, to: after).isEmpty)
        }
    }

    @Test("the comparison notices one changed letter, reference or version")
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
                #expect(game.differences(of: played, from: before, to: after).count == 1, "\(tampering.text)")
            }
        }
    }
}
