import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Everything that the API returns: a path, and the bytes of its response.
typealias World = [String: String]

/// A directory in which a generator adds, edits, merges and undoes, while a model remembers what an undo must restore.
final class MergeGame {
    struct Played {
        var merge: Merge
        /// Everything as it was before.
        var before: World
        /// When it was played; edits after it are not restored.
        var turn: Int
    }

    let directory: TestService
    var generator: SeededGenerator
    var turn = 0
    var edited: [String: Int] = [:]
    /// Statements about a record that an undo keeps, by their keys: `email`, `leftOn`, `consents/flashInfo`.
    var said: [String: [String: Int]] = [:]
    var played: [Played] = []
    var undone = 0
    var refused = 0
    private var added = 0

    init(_ directory: TestService, seed: UInt64) {
        self.directory = directory
        generator = SeededGenerator(seed: seed)
    }

    // MARK: State

    func ids(_ list: String) async throws -> [String] {
        try await directory.ask("/v1/\(list)?limit=200").items("id")
    }

    /// Everything, as the lists show it.
    ///
    /// - Parameter records: paths for which the response's bytes and ETag are included: an undo must restore the ETag
    ///   too.
    func world(bytesOf records: [String] = []) async throws -> World {
        var world: World = [:]
        for list in [
            "organizations", "people", "experts", "ambassadors", "memberships", "contributions", "mandates",
            "referrals", "referral-offers",
        ] {
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

    /// Every column of every table that a merge touches, except the version floors, which are meant to stay.
    func tables() async throws -> [String: String] {
        try await directory.database.withClient(as: "directory") { client in
            var rows: [String: String] = [:]
            for table: SQL in [
                "organization", "person", "expert", "ambassador", "mandate", "membership", "contribution", "payment",
                "consent_entry", "referral", "referral_offer", "confirmation_request",
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

    /// Adds a record of some kind; one that the directory's rules refuse counts as well.
    func add() async throws {
        added += 1
        var fields: [String: JSONValue] = [:]
        let names: [JSONValue] = ["cloud", "backup", "hosting"].map { .string($0) }
        switch random(9) {
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
            fields["consents"] = .object([
                "flashInfo": .bool(random(2) == 0), "publicDirectory": .bool(random(4) > 0),
            ])
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
        case 7: try await bringNeed(names)
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

    /// A firm's need, sent to some of the matching experts.
    private func bringNeed(_ topics: [JSONValue]) async throws {
        var fields: [String: JSONValue] = [
            "topics": .array(topics), "postalCode": .string("64000"), "description": .string("B \(word())"),
            "places": .integer(1 + random(3)),
        ]
        fields["ambassador"] = try await maybe(await pick("ambassadors"))
        guard let referral = try await post("referrals", fields).json()["id"]?.string else { return }
        let experts = try await directory.ask("/v1/referrals/\(referral)/matches?limit=200").items("expert")
        let asked = experts.shuffled(using: &generator).prefix(1 + random(5))
        try await post("referrals/\(referral)/offers", ["experts": .array(asked.map { .string($0) })])
    }

    /// All records were confirmed at the same time a year ago, as after an import, and are asked to confirm.
    func grow() async throws {
        for table: SQL in ["expert", "ambassador"] {
            try await directory.change(
                "update \(table) set confirmed_at = date_trunc('day', now()) - interval '1 year'")
        }
        #expect(try await post("confirmation-calls", [:]).status == 200)
    }

    /// Edits one record through the API, or lets its owner make a statement.
    func change() async throws {
        switch random(6) {
        case 0: try await answerConsent()
        case 1: try await enrol()
        case 2: try await answerOffer()
        default: try await edit()
        }
    }

    private func note(_ keys: [String], of path: String) {
        edited[path] = turn
        for key in keys { said[path, default: [:]][key] = turn }
    }

    private func answerConsent() async throws {
        let list = random(2) == 0 ? "people" : "experts"
        guard let id = try await pick(list) else { return }
        let purpose = Purpose.allCases[random(4)].rawValue
        let answer = try await post(
            "\(list)/\(id)/consents", ["purpose": .string(purpose), "agreed": .bool(random(2) == 0)])
        #expect(answer.status == 201)
        note(["consents/\(purpose)"], of: "\(list)/\(id)")
    }

    /// Confirms, leaves or comes back.
    private func enrol() async throws {
        let list = random(2) == 0 ? "ambassadors" : "experts"
        guard let id = try await pick(list) else { return }
        let hasLeft = try await directory.ask("/v1/\(list)/\(id)").json()["leftOn"] != nil
        let answer =
            !hasLeft && random(2) == 0
            ? try await post("\(list)/\(id)/confirmations", [:])
            : try await post("\(list)/\(id)/transitions", ["to": .string(hasLeft ? "enrolled" : "left")])
        #expect(answer.status == 200)
        note(["enrolledOn", "leftOn", "confirmedAt"], of: "\(list)/\(id)")
        // When an expert leaves, its unanswered offers are withdrawn.
        if list == "experts" { try await noteOffers("expert=\(id)") }
    }

    /// Answers an offer, or reports that its outcome was nothing; the last place withdraws the other offers.
    private func answerOffer() async throws {
        let offers = try await directory.ask("/v1/referral-offers?limit=200").json()["items"]?.array ?? []
        guard let offer = offers.randomElement(using: &generator), let id = offer["id"]?.string else { return }
        let next = offer["state"]?.string == "accepted" ? "abandoned" : ["accepted", "declined"][random(2)]
        let answer = try await directory.ask(
            .patch, "/v1/referral-offers/\(id)", ifMatch: offer["version"]?.integer, json: #"{"state":"\#(next)"}"#)
        if answer.status == 200 { try await noteOffers("referral=\(offer["referral"]?.string ?? "")") }
    }

    private func noteOffers(_ filter: String) async throws {
        for id in try await directory.ask("/v1/referral-offers?limit=200&\(filter)").items("id") {
            edited["referral-offers/\(id)"] = turn
        }
    }

    /// Edits one record through the API.
    private func edit() async throws {
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
                [
                    #"{"familyName":"\#(word())x"}"#, #"{"telephone":"05591\#(10_000 + turn)"}"#,
                    #"{"email":"y\#(turn)@example.org"}"#,
                ][random(3)]
            case "ambassadors": #"{"topics":["training"]}"#
            default: random(2) == 0 ? #"{"name":"\#(word())x"}"# : #"{"email":"x\#(turn)@example.org"}"#
            }
        let version = try await directory.ask("/v1/\(path)").json()["version"]?.integer
        let answer = try await directory.ask(.patch, "/v1/\(path)", ifMatch: version, json: patch)
        guard answer.status == 200 else { return }
        note(patch.contains(#""email""#) ? ["email"] : [], of: path)
        // A person's name also changes their enrolments, which are not edited themselves.
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

    /// Undoes any of the merges; one that others build on is refused, and changes nothing.
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
            let differences = differences(of: choice, from: before, to: try await world(bytesOf: records))
            #expect(differences.isEmpty, "\(differences.sorted().joined(separator: "\n"))")
            let withdrawn = withdrawn(since: choice, from: before).map { "consents/\($0)" }
            if !withdrawn.isEmpty { note(withdrawn, of: records[1]) }
        } else {
            refused += 1
            // A place that was set aside may have been taken by now.
            let isTaken = answer.text.contains("referral_places_check") || answer.text.contains("referral_asked_check")
            #expect(try isTaken || answer.problem().slug == "merge-followed", "\(answer.text)")
            #expect(try await world(bytesOf: records) == before, "a refused undo changed something")
        }
    }

    func records(of merge: Merge) -> [String] {
        ["\(merge.kind.path)/\(merge.survivor)", "\(merge.kind.path)/\(merge.merged)"]
    }

    /// The fields of a record; if its response's bytes are included, those after the ETag.
    private func fields(_ text: String?) -> [String: JSONValue] {
        guard let text, let start = text.firstIndex(of: "{") else { return [:] }
        return (try? LenientJSON.decode([String: JSONValue].self, from: Array(text[start...].utf8))) ?? [:]
    }

    /// The purposes that the survivor has refused since a merge, and the merged record had consented to before it.
    private func withdrawn(since choice: Played, from last: World) -> [String] {
        let records = records(of: choice.merge)
        let (now, was) = (fields(last[records[0]])["consents"], fields(choice.before[records[1]])["consents"])
        return Purpose.allCases.map(\.rawValue).filter { purpose in
            (said[records[0]]?["consents/\(purpose)"] ?? 0) > choice.turn
                && now?[purpose]?["agreed"] == .bool(false) && was?[purpose]?["agreed"] == .bool(true)
        }
    }

    /// What an undo must restore of a merge's records: their former state, plus the statements made since.
    private func expected(of choice: Played, from last: World) -> [String: [String: JSONValue]] {
        let records = records(of: choice.merge)
        let now = fields(last[records[0]])
        var expected: [String: [String: JSONValue]] = [:]
        func keep(_ key: String, in record: String) {
            var fields = expected[record] ?? self.fields(choice.before[record])
            if key.hasPrefix("consents/"), case .object(var answers)? = fields["consents"] {
                let purpose = String(key.dropFirst("consents/".count))
                answers[purpose] = now["consents"]?[purpose]
                fields["consents"] = .object(answers)
            } else {
                fields[key] = now[key]
            }
            expected[record] = fields
        }
        for (key, when) in said[records[0]] ?? [:] where when > choice.turn { keep(key, in: records[0]) }
        for purpose in withdrawn(since: choice, from: last) { keep("consents/\(purpose)", in: records[1]) }
        return expected
    }

    /// What differs from the state before an undone merge: both records, whatever else happened, except for statements
    /// about them since; and everything that referred to the merged one, where it has not been edited since. Of edited
    /// records, only the reference.
    ///
    /// - Parameter last: everything as it was before the undo.
    func differences(of choice: Played, from last: World, to world: World) -> [String] {
        let merge = choice.merge
        let path = merge.kind.path
        var result: [String] = []
        let expected = expected(of: choice, from: last)
        for record in records(of: merge) where world[record] != choice.before[record] {
            if let fields = expected[record] {
                let now = self.fields(world[record])
                let isOther = { (key: String) in key != "version" && key != "updatedAt" && now[key] != fields[key] }
                if Set(now.keys).union(fields.keys).contains(where: isOther) {
                    result.append("\(record): \(world[record] ?? "gone") instead of \(fields)")
                }
                continue
            }
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
