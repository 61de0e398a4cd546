import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Content

@Suite("files in letters", .serialized)
struct LetterFileTests {
    private static let calendar = Array("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n".utf8)
    private static let pdf = Array("%PDF-1.7\n".utf8) + (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 167) }

    private static func files() -> [LetterAttachment] {
        [
            .init(type: .calendar, fileName: "invitation.ics", method: .request, content: .init(calendar)),
            .init(type: .pdf, fileName: "Ordre du jour n° 3.pdf", content: .init(pdf)),
        ]
    }

    @Test("files arrive as they are, beside the text and its answers' address, and are gone when the letter has ended")
    func intact() async throws {
        try await LetterRig.run { services, mail in
            let client = try services[.content].client(.service)
            let letter = try await client.send(
                SendLetter.request(
                    body: LetterRig.body("invitation", .invitation) {
                        $0.attachments = Self.files()
                        $0.replyTo = "accueil@club.example"
                        $0.notBefore = .now.advanced(by: .seconds(1))
                    }))
            #expect(try await stored(services) == 2)
            #expect(try await LetterRig.ended(letter.id, services[.content]).state == .sent)
            let message = MessagePart(try #require(LetterRig.messages(in: mail).first))
            #expect(
                message.outline
                    == "multipart/mixed(multipart/alternative(text/plain text/html text/calendar) application/pdf)")
            let invitation = message.parts[0].parts[2]
            #expect(invitation.data == Data(Self.calendar) && invitation.type.contains("method=REQUEST"))
            #expect(message.parts[1].data == Data(Self.pdf))
            #expect(message.parts[1].fileName == "Ordre du jour n° 3.pdf")
            #expect(message.fields["reply-to"] == "accueil@club.example")
            #expect(try await stored(services) == 0)
        }
    }

    @Test("files of a letter that was asked back, or whose reader is erased, are gone; until then their names are told")
    func forgotten() async throws {
        try await LetterRig.run { services, _ in
            let content = services[.content]
            let client = try content.client(.service)
            let reader = DataSubject(Person.ID())
            func send(_ key: Line) async throws -> Letter {
                try await client.send(
                    SendLetter.request(
                        body: LetterRig.body(key, .minutes) {
                            ($0.reader, $0.attachments) = (reader, Self.files())
                            $0.notBefore = .now.advanced(by: .seconds(3600))
                        }))
            }
            _ = try await client.send(CancelLetter.request(path: try await send("retenu").id))
            #expect(try await stored(services) == 0)
            let letter = try await send("effacé")
            #expect(try await stored(services) == 2)
            let directory = try content.keys.token(.service, as: .directory, for: .content)
            let document = try await content.raw(
                .post, "/v1/personal-data", headers: ["Authorization": "Bearer \(directory)"],
                body: WireJSON.encode(ReadPersonalData.Body(entity: .person, id: reader.id))
            ).text
            #expect(document.firstMatch(of: /\["invitation.ics", ?"Ordre du jour n° 3.pdf"\]/) != nil)
            #expect(!document.contains("VCALENDAR"))
            try await content.backend.database.transaction { transaction in
                _ = try await ContentRights(backend: content.backend).erase(
                    ErasureNotice(
                        erasure: .init(), state: .erasing, entity: .person, subject: reader.id, reason: .request),
                    in: transaction)
            }
            #expect(try await stored(services) == 0)
            // Its commitments can prove nothing any more.
            let keys = try await content.backend.database.query(
                "select subject from audit_key where entity = 'letter' and subject = \(letter.id.text)")
            #expect(keys.isEmpty)
        }
    }

    @Test("files that readers may not open, too many or too large ones are refused, each at its place")
    func refused() async throws {
        try await LetterRig.run { services, _ in
            let pdf = Data("%PDF-1.7".utf8).base64EncodedString()
            let half = Data("%PDF-".utf8 + [UInt8](repeating: 0, count: 300 << 10)).base64EncodedString()
            func file(_ type: String, _ content: String, _ more: String = "", name: String = "a") -> String {
                #"{"type":"\#(type)","fileName":"\#(name)","content":"\#(content)"\#(more)}"#
            }
            for (files, pointer) in [
                ([file("image/svg+xml", pdf)], "/attachments/0/type"),
                ([file("application/pdf", "PHN2Zz4=")], "/attachments/0/content"),
                ([file("application/pdf", pdf), file("image/png", pdf)], "/attachments/1/content"),
                ([file("application/pdf", "%PDF")], "/attachments/0/content"),
                ([file("application/pdf", "")], "/attachments/0/content"),
                ([file("text/calendar", "QkVHSU46VkNBTEVOREFS")], "/attachments/0/method"),
                ([file("application/pdf", pdf, #","method":"REQUEST""#)], "/attachments/0/method"),
                ([file("text/calendar", "QkVHSU46VkNBTEVOREFS", #","method":"REPLY""#)], "/attachments/0/method"),
                ([file("application/pdf", pdf, name: "../..")], nil),
                ([file("application/pdf", pdf, name: "//")], "/attachments/0/fileName"),
                ([String](repeating: file("application/pdf", pdf), count: 4), "/attachments"),
                ([file("application/pdf", half), file("application/pdf", half)], "/attachments"),
            ] as [([String], String?)] {
                let answer = try await services[.content].raw(
                    .post, "/v1/letters", role: .operator,
                    json: """
                        {"key":"\(Letter.ID())","purpose":"minutes","email":"a@x.example","subject":"s","paragraphs":["p"],
                         "attachments":[\(files.joined(separator: ","))]}
                        """)
                let pointers = answer.status == 422 ? try answer.problem().errors?.map(\.pointer) : nil
                #expect(pointers?.first == pointer, "\(files.map { $0.prefix(100) })")
            }
        }
    }

    @Test(
        "what would end a line or turn its text around is refused in subject, name and file name",
        arguments: [#"\r\nBcc: x@x.example"#, #"\n"#, #"\u0000"#, #"\u202E"#, #"\u2066"#, #"\u2028"#])
    func hostile(text: String) async throws {
        try await LetterRig.run { services, _ in
            for (place, pointer) in [(0, "/subject"), (1, "/name"), (2, "/attachments/0/fileName")] {
                let texts = (0..<3).map { $0 == place ? "a\(text)b" : "a" }
                let answer = try await services[.content].raw(
                    .post, "/v1/letters", role: .operator,
                    json: """
                        {"key":"k","purpose":"notice","email":"a@x.example","subject":"\(texts[0])","name":"\(texts[1])",
                         "paragraphs":["p"],
                         "attachments":[{"type":"application/pdf","fileName":"\(texts[2])","content":"JVBERi0xLjcK"}]}
                        """)
                #expect(try answer.problem().errors?.map(\.pointer) == [pointer])
            }
        }
    }

    private func stored(_ services: TestServices) async throws -> Int {
        try await services.database.withClient { client in
            try await client.first("select count(*) as count from content.letter_attachment")?["count"] ?? -1
        }
    }
}
