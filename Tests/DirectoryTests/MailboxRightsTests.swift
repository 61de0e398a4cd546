import ClubProtocol
import Foundation
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("rights for every address of a person")
struct MailboxRightsTests {
    private func ana(_ directory: TestService) async throws -> Person {
        try await directory.client(.operator).send(
            CreatePerson.request(
                body: .init(
                    familyName: "Ana", email: "ana@a.example", otherEmails: ["ana@maison.example"],
                    telephone: "0559000000", otherTelephones: ["0612345678"], jobTitle: "Élue",
                    consents: .init(flashInfo: true))))
    }

    @Test(
        "access and erasure cover all of a person's addresses and numbers, except those that others have too"
    )
    func known() async throws {
        try await withDirectory { directory in
            let (ana, database) = (try await ana(directory), directory.backend.database)
            let known = try await SubjectIdentifiers.find(DataSubject(ana.id), on: database)
            #expect(known.addresses == ["ana@a.example", "ana@maison.example"])
            #expect(known.telephones == ["+33559000000", "+33612345678"])
            #expect(Set(known.held.map(\.email.text)) == Set(known.addresses))

            _ = try await directory.client(.operator).send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "CMA",
                        mailboxes: [.init(role: .events, email: "ANA@maison.example")])))
            _ = try await directory.client(.operator).send(
                CreatePerson.request(
                    body: .init(familyName: "Bob", otherTelephones: ["0600000000", "0612345678"])))
            let alone = try await known.alone(DataSubject(ana.id), on: database)
            #expect(alone.addresses == ["ana@a.example"] && alone.telephones == ["+33559000000"])
            let held = try await SubjectIdentifiers.find(DataSubject(ana.id), on: database).held
            #expect(held.contains { $0.email == "ana@a.example" && $0.until == nil })
        }
    }

    @Test(
        "a former address belongs to the person's past, since it was held; after an erasure nothing remains"
    )
    func past() async throws {
        try await withDirectory { directory in
            let (ana, database) = (try await ana(directory), directory.backend.database)
            func addresses(_ table: SQL) async throws -> [String] {
                try await database.query(
                    "select email from \(table) where record = \(ana.id) order by email"
                ).map {
                    try $0["email"]
                }
            }
            _ = try await directory.client(.operator).send(
                ChangePerson.request(
                    path: ana.id, body: .init(email: "ana@maison.example"), ifMatch: 1))
            // A swap gives up nothing.
            #expect(try await addresses("address_past").isEmpty)
            _ = try await directory.client(.operator).send(
                ChangePerson.request(
                    path: ana.id, body: .init(otherEmails: .some(nil)), ifMatch: 2))
            #expect(try await addresses("address_past") == ["ana@a.example"])
            #expect(try await addresses("address_held") == ["ana@maison.example"])
            let known = try await SubjectIdentifiers.find(DataSubject(ana.id), on: database)
            #expect(known.addresses == ["ana@a.example", "ana@maison.example"])
            _ = try await directory.client(.operator).send(
                CreateErasure.request(body: .init(person: ana.id, reason: .request)))
            #expect(try await addresses("address_past").isEmpty)
            #expect(try await addresses("address_held").isEmpty)
        }
    }

    @Test("unsubscribing by a mail to a further address unsubscribes the person")
    func unsubscribed() async throws {
        try await withDirectory { directory in
            let ana = try await ana(directory)
            let (id, time) = (Suppression.ID(), Timestamp.now)
            let notice = #"""
                {"id":"\#(id)","email":"Ana@maison.example","reason":"unsubscribed","unsubscribedAt":"\#(time.text)"}
                """#
            let change = Change(
                cursor: try Cursor(validating: "x"), entity: .suppression, id: id.text, action: .created,
                version: nil,
                at: time, data: try LenientJSON.decode(JSONValue.self, from: Array(notice.utf8)))
            try await directory.backend.database.transaction {
                try await Unsubscriptions.apply([change], $0)
            }
            let left = try await directory.client(.operator).send(
                GetPerson.request(path: ana.id))
            #expect(left.consents.flashInfo?.agreed == false)
        }
    }
}
