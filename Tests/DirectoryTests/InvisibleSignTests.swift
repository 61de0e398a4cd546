import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("invisible characters")
struct InvisibleSignTests {
    private static let signs: [UInt32] = [
        0x206A, 0xE0020, 0xE0100, 0x180B, 0x115F, 0x3164, 0x17B4, 0x2800, 0xFFF9, 0xFFFC, 0x2063, 0x34F, 0xFE0F, 0xE000,
        0xFDD0, 0x1D173, 0xFFA0, 0x70F,
    ]

    @Test("the protocol and the database agree on them for all of Unicode")
    func one() async throws {
        var known: [ClosedRange<UInt32>] = []
        for value in UInt32(1)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), scalar.isInvisible else { continue }
            if let last = known.last, last.upperBound + 1 == value {
                known[known.count - 1] = last.lowerBound...value
            } else {
                known.append(value...value)
            }
            // The keys for looking up names in a file contain only letters and digits.
            if !Folding.key("a\(scalar)b").utf8.elementsEqual("ab".utf8) { Testing.Issue.record("\(scalar.value)") }
            if Line.showsAll(of: "a\(scalar)b") || (try? Line(validating: "\(scalar)")) != nil {
                Testing.Issue.record("\(scalar.value) is shown")
            }
        }
        try await withDirectory { directory in
            let rows = try await directory.backend.database.query(
                """
                select min(code) as first, max(code) as last
                from (
                    select code, code - row_number() over (order by code) as island
                    from generate_series(1, 1114111) as code
                    where code not between 55296 and 57343 and directory.without_invisible(chr(code)) = '') as invisible
                group by island order by 1
                """)
            let kept = try rows.map { row in
                UInt32(try row["first", as: Int.self])...UInt32(try row["last", as: Int.self])
            }
            #expect(kept == known)
        }
    }

    @Test("a name with an invisible character is the same name without it, for searches and imports")
    func names() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Jean", "Tacheron")
            let house = try await directory.organization("Tacheron", postalCode: "64000")
            let expert = try await directory.expert("Tacheron")
            for sign in Self.signs.compactMap(Unicode.Scalar.init) {
                let name = "Tache\(sign)ron"
                for (json, id) in [
                    (#"{"kind":"person","givenName":"Jean","familyName":"\#(name)"}"#, person.id.text),
                    (#"{"kind":"organization","name":"\#(name)","postalCode":"64000"}"#, house.id.text),
                    (#"{"kind":"expert","name":"\#(name)","postalCode":"64000"}"#, expert.id.text),
                ] {
                    let told = try await directory.ask(.post, "/v1/possible-duplicates", json: json)
                    #expect(
                        try told.status == 200 && told.items("id") == [id], "U+\(String(sign.value, radix: 16)) \(json)"
                    )
                }
                for (records, file) in [
                    (Import.Records.people, "nom,prenom\n\(name),Jean\n"),
                    (.organizations, "name,kind,postalCode\n\(name),institution,64000\n"),
                    (.experts, "name,type,postalCode,commune\n\(name),agence,64000,Pau\n"),
                ] {
                    let report = try await directory.takes(records, file, "existing=skip")
                    #expect(report.skipped == 1 && report.errors == [], "U+\(String(sign.value, radix: 16)) \(records)")
                }
                let alone = try await directory.ask(.post, "/v1/people", json: #"{"familyName":"\#(sign)"}"#)
                #expect(try alone.status == 422 && alone.pointer() == "/familyName")
            }
            // A combining mark that one of them separates from its letter belongs to the letter.
            _ = try await directory.person("Zoé", "Bé")
            let told = try await directory.ask(
                .post, "/v1/possible-duplicates",
                json: "{\"kind\":\"person\",\"givenName\":\"Zoe\u{34F}\u{301}\",\"familyName\":\"B\u{FE0F}\u{E9}\"}")
            #expect(try told.items("id").count == 1)
        }
    }
}
