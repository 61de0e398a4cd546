import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("suppressions from another tool", .serialized)
struct SuppressionImportTests {
    private func take(
        _ file: [UInt8], _ room: Mailroom, _ query: String = "?mode=apply"
    ) async throws -> SuppressionImportReport {
        let answer = try await send(file, query, room)
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(SuppressionImportReport.self, from: Data(answer.body))
    }

    private func take(
        _ file: String, _ room: Mailroom, _ query: String = "?mode=apply"
    ) async throws -> SuppressionImportReport {
        try await take(Array(file.utf8), room, query)
    }

    private func send(_ file: [UInt8], _ query: String, _ room: Mailroom) async throws -> RawAnswer {
        try await room.content.raw(
            .post, "/v1/imports/suppressions\(query)", role: .operator, headers: ["Content-Type": "text/csv"],
            body: file)
    }

    /// What is suppressed: an address and its reason, with the time where it left.
    private func suppressed(_ room: Mailroom) async throws -> [String] {
        try await room.database.query(
            """
            select concat_ws(' ', email, reason, purpose, to_char(
                case when created_at < now() - interval '1 hour' then created_at at time zone 'UTC' end,
                'YYYY-MM-DD"T"HH24:MI:SS"Z"')) as line
            from suppression order by email, purpose
            """
        ).map { try $0["line"] }
    }

    @Test(
        "the lists of common tools are understood as they are exported",
        arguments: [
            // Mailchimp
            (
                "Email Address,First Name,UNSUB_TIME\nA@a.example,Zoé,2025-03-14 09:30:00\n", "", ["First Name"],
                ["a@a.example unsubscribed flashInfo 2025-03-14T23:59:59Z"]
            ),
            (
                "Email Address,CLEAN_TIME\na@a.example,2025-03-14 09:30:00\n", "&reason=bounced", [],
                ["a@a.example bounced 2025-03-14T23:59:59Z"]
            ),
            // listmonk
            (
                "uuid,email,name,status,updated_at\n1,a@a.example,A,blocklisted,2025-03-14T09:30:00Z\n", "",
                ["uuid", "name"], ["a@a.example manual 2025-03-14T09:30:00Z"]
            ),
            // Brevo and Mautic
            (
                "EMAIL;MOTIF;DATE\na@a.example;Désinscrit;14/03/2025\nb@a.example;PLAINTE;\n", "", [],
                ["a@a.example unsubscribed flashInfo 2025-03-14T23:59:59Z", "b@a.example complaint"]
            ),
            (
                "email,dnc_reason,date_added\na@a.example,hard,2025-03-14\n", "", [],
                ["a@a.example bounced 2025-03-14T23:59:59Z"]
            ),
            // A list without headers
            (
                "a@a.example\nb@a.example\n", "", [],
                ["a@a.example unsubscribed flashInfo", "b@a.example unsubscribed flashInfo"]
            ),
            ("a@a.example\n", "&reason=manual", [], ["a@a.example manual"]),
        ])
    func tools(_ file: String, _ options: String, _ unknown: [String], _ expected: [String]) async throws {
        try await Mailroom.run { room, _ in
            let report = try await take(file, room, "?mode=apply\(options)")
            #expect(report.errors == [] && report.unknownColumns == unknown)
            #expect(report.created == expected.count && report.rows == expected.count)
            #expect(try await suppressed(room) == expected)
        }
    }

    @Test("every encoding of a French export is read: Windows-1252, UTF-16, a byte order mark")
    func encodings() async throws {
        try await Mailroom.run { room, _ in
            let text = "adresse;état\r\na@a.example;désabonné\r\n"
            var files = [[0xEF, 0xBB, 0xBF] + Array(text.utf8), Array(text.unicodeScalars.map { UInt8($0.value) })]
            files.append([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
            for file in files {
                #expect(try await take(file, room).created == 1)
                #expect(try await suppressed(room) == ["a@a.example unsubscribed flashInfo"])
                try await room.database.execute("delete from suppression")
            }
        }
    }

    @Test("a row that cannot be understood is rejected with its column, and the others are imported")
    func rejected() async throws {
        try await Mailroom.run { room, _ in
            let future = Timestamp.now.advanced(by: .seconds(3 * 86_400)).text
            let file = """
                E-mail,Statut,Date
                a@a.example,cleaned,
                not an address,cleaned,
                ,cleaned,
                b@a.example,subscribed,
                c@a.example,spam,\(future)
                d@a.example,spam,1825-01-01
                e@a.example,spam,soon
                f@a.example,"bounced
                """
            let report = try await take(file, room)
            #expect(report.rows == 8 && report.created == 1 && report.rejected == 7 && report.skipped == 0)
            #expect(report.errors.map(\.row) == [2, 3, 4, 5, 6, 7, 8])
            #expect(
                report.errors.map(\.column) == ["E-mail", "E-mail", "Statut", "Date", "Date", "Date", nil])
            #expect(report.errors.allSatisfy { !$0.detail.isEmpty })
            #expect(try await suppressed(room) == ["a@a.example bounced"])
        }
    }

    @Test(
        "a file that is no such list is refused as a whole, and nothing breaks",
        arguments: [
            "", "\n\n", "name,town\nZoé,Lyon\n", "\u{0}\u{0}\u{1}\u{2}", "%PDF-1.7 %âãÏÓ\n1 0 obj", "email,mail\na,b\n",
            #""email"#,
        ])
    func garbage(_ file: String) async throws {
        try await Mailroom.run { room, _ in
            let answer = try await send(Array(file.utf8), "?mode=apply", room)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(try await suppressed(room) == [])
        }
    }

    @Test("random bytes behind a header are rejected row by row")
    func noise() async throws {
        try await Mailroom.run { room, _ in
            var random = SystemRandomNumberGenerator()
            let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            let report = try await take(Array("email\n".utf8) + noise, room)
            #expect(report.created == 0 && report.rejected == report.rows && report.rows > 100)
            #expect(report.errors.count == min(1000, report.rows))
        }
    }

    @Test("a dry run, which is the default, says the same and changes nothing")
    func dryRun() async throws {
        try await Mailroom.run { room, _ in
            let file = "email,reason\na@a.example,hard\nb@a.example,hard\n"
            var dry = try await take(file, room, "")
            #expect(dry.mode == .dryRun && dry.created == 2)
            #expect(try await suppressed(room) == [])
            #expect(try await room.database.first("select 1 from change where entity = 'suppression'") == nil)
            let real = try await take(file, room)
            dry.mode = .apply
            #expect(real == dry)
            #expect(
                try await room.database.query("select action from change where entity = 'suppression'")
                    .map { try $0["action", as: String.self] } == ["created", "created"])
        }
    }

    @Test("importing a file again changes nothing, and of two rows of an address the stronger counts")
    func again() async throws {
        try await Mailroom.run { room, _ in
            let file = """
                email,reason,date
                a@a.example,hard,2025-01-01
                A@a.example,spam,2025-01-02
                a@A.example,manual,2025-01-03
                b@a.example,optout,2025-01-02
                b@a.example,optout,2025-01-01
                b@a.example,hard,2025-01-01
                """
            let first = try await take(file, room)
            #expect(first.created == 3 && first.skipped == 3)
            let expected = [
                "a@a.example complaint 2025-01-02T23:59:59Z",
                "b@a.example unsubscribed flashInfo 2025-01-02T23:59:59Z", "b@a.example bounced 2025-01-01T23:59:59Z",
            ]
            #expect(try await suppressed(room) == expected)
            let second = try await take(file, room)
            #expect(second.created == 0 && second.updated == 0 && second.skipped == 6)
            #expect(try await suppressed(room) == expected)
        }
    }

    @Test("a row never weakens what a reader said, and a consent given since its date lifts it")
    func readers() async throws {
        try await Mailroom.run { room, _ in
            for (email, reason) in [("a@a.example", Suppression.Reason.complaint), ("b@a.example", .unsubscribed)] {
                _ = try await room.editor().send(
                    CreateSuppression.request(body: .init(email: EmailAddress(validating: email), reason: reason)))
            }
            let file = """
                email,reason,date
                a@a.example,manual,
                b@a.example,optout,2025-01-01
                c@a.example,optout,2025-01-01
                d@a.example,spam,2025-01-01
                """
            #expect(try await take(file, room).skipped == 2)
            try await room.database.transaction { transaction in
                try await SuppressionStore.lift(
                    ["a@a.example", "b@a.example", "c@a.example", "d@a.example"].map {
                        .init(
                            email: try EmailAddress(validating: $0), purpose: .flashInfo,
                            agreedAt: try Timestamp(validating: "2025-06-01T00:00:00Z"), subject: nil)
                    }, in: transaction)
            }
            #expect(
                try await suppressed(room) == [
                    "a@a.example complaint", "b@a.example unsubscribed flashInfo",
                    "d@a.example complaint 2025-01-01T23:59:59Z",
                ])
        }
    }

    @Test("the address of an erased reader is not stored again")
    func erased() async throws {
        try await Mailroom.run { room, _ in
            try await room.database.execute(
                "insert into erased_address (hash) values (address_hash('gone@a.example'))")
            let report = try await take("email\nGone@a.example\nhere@a.example\n", room)
            #expect(report.created == 1 && report.rejected == 1 && report.errors.map(\.row) == [1])
            #expect(try await suppressed(room) == ["here@a.example unsubscribed flashInfo"])
        }
    }

    @Test("a list of ten thousand is imported at once, and one that is too long is refused")
    func many() async throws {
        try await Mailroom.run { room, _ in
            let lines = (1...10_000).map { "r\($0)@a.example,hard" }
            let report = try await take("email,reason\n" + lines.joined(separator: "\n"), room)
            #expect(report.created == 10_000 && report.rows == 10_000)
            let long = String(repeating: "a@a.example\n", count: SuppressionFile.mostRows + 1)
            #expect(try await send(Array(long.utf8), "?mode=apply", room).status == 422)
        }
    }
}
