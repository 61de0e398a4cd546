import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Addresses change hands; letters do not.
@Suite("mails at an address that changed hands", .serialized)
struct ForeignMailTests {
    /// What content reports to the directory about a person or expert.
    struct Told {
        /// The keys of the letters' subjects, in order.
        var letters: [String]
        var suppressions: Int
    }

    func told(_ subject: DataSubject, _ network: Network) async throws -> Told {
        let backend = network.directory.backend
        let known = try await SubjectIdentifiers.find(subject, on: backend.database)
        let body = try await PersonalRecords(backend: backend).inquiry(subject, known)
        let data = try await backend.peers[.content].send(ReadPersonalData.request(body: body)).data
        return Told(
            letters: (data["letters"]?.array ?? []).compactMap { $0["subject"]?.string },
            suppressions: data["suppressions"]?.array?.count ?? 0)
    }

    func send(
        _ subject: Line, to email: EmailAddress, for reader: DataSubject? = nil, purpose: Letter.Purpose = .notice,
        _ network: Network
    ) async throws {
        _ = try await network.services[.content].client(.operator).send(
            SendLetter.request(
                body: .init(
                    key: subject, purpose: purpose, email: email, name: nil, reader: reader, subject: subject,
                    paragraphs: ["Bonjour."])))
    }

    func change(_ person: Person, to email: EmailAddress?, _ network: Network) async throws {
        let operating = try network.directory.client(.operator)
        let version = try await operating.send(GetPerson.request(path: person.id)).version
        _ = try await operating.send(
            ChangePerson.request(path: person.id, body: .init(email: .some(email)), ifMatch: version))
    }

    /// Takes the address, as the expert would.
    func take(_ email: EmailAddress, by expert: Expert, _ network: Network) async throws {
        _ = try await network.directory.client(.expert, organization: Organization.ID(expert.id.uuid)).send(
            ChangeExpert.request(
                path: expert.id, body: .init(email: .some(email)), ifMatch: expert.version))
    }

    func erase(_ subject: DataSubject, _ network: Network) async throws {
        let operating = try network.directory.client(.operator)
        let body: CreateErasure.Body =
            subject.entity == .person
            ? .init(person: Person.ID(subject.id.uuid)) : .init(expert: Expert.ID(subject.id.uuid))
        let erasure = try await operating.send(CreateErasure.request(body: body))
        try await eventually("content has erased it") {
            try await operating.send(GetErasure.request(path: erasure.id)).services.contains {
                $0.service == .content && $0.doneAt != nil
            }
        }
    }

    func subjects(_ network: Network) async throws -> [String] {
        try await network.services.database.withClient(searchPath: "content") { client in
            try await client.query("select subject from letter order by subject").map { try $0["subject"] }
        }
    }

    @Test("a new owner of an address neither reads nor erases its former owner's mails, who still does")
    func takenOver() async throws {
        try await withNetwork { network in
            let ana = try await network.directory.person("Ana", "A", email: "Contact@x.example")
            let expert = try await network.directory.expert("Bob Web") { $0.email = "bob@y.example" }
            let (anas, bobs) = (DataSubject(ana.id), DataSubject(expert.id))
            try await send("1 Ana", to: "contact@x.example", for: anas, network)
            try await send("2 personne", to: "CONTACT@x.example", network)
            _ = try await network.services[.content].client(.operator).send(
                CreateSuppression.request(body: .init(email: "contact@x.example", reason: .manual)))
            try await change(ana, to: "ana@z.example", network)
            try await take("contact@x.example", by: expert, network)
            try await send("3 Bob", to: "contact@x.example", for: bobs, network)
            try await send("4 personne", to: "contact@x.example", network)
            try await send("5 Ana", to: "ana@z.example", network)

            let (toAna, toBob) = (try await told(anas, network), try await told(bobs, network))
            #expect(toAna.letters == ["1 Ana", "2 personne", "5 Ana"] && toAna.suppressions == 1)
            #expect(toBob.letters == ["3 Bob", "4 personne"] && toBob.suppressions == 0)
            try await erase(bobs, network)
            #expect(try await subjects(network) == ["1 Ana", "2 personne", "5 Ana"])
            #expect(try await told(anas, network).suppressions == 1)
            try await erase(anas, network)
            #expect(try await subjects(network) == [])
            let left = try await network.services.database.withClient { client in
                try await client.first(
                    """
                    select (select count(*) from content.suppression) + (select count(*) from directory.address_past)
                        as left
                    """)?["left", as: Int.self]
            }
            #expect(left == 0)
        }
    }

    @Test("mail to an organization's former address belongs to the organization, and so do its calls for payment")
    func organizations() async throws {
        try await withNetwork { network in
            let operating = try network.directory.client(.operator)
            let home = try await network.directory.organization("Maison")
            let changed = try await operating.send(
                ChangeOrganization.request(
                    path: home.id, body: .init(email: .some("maison@x.example")),
                    ifMatch: home.version))
            try await send("1 maison", to: "maison@x.example", network)
            _ = try await operating.send(
                ChangeOrganization.request(
                    path: home.id, body: .init(email: .some(nil)), ifMatch: changed.version))
            let expert = try await network.directory.expert("Bob Web")
            try await take("maison@x.example", by: expert, network)
            try await send("2 reçu", to: "maison@x.example", purpose: .receipt, network)
            try await send("3 Bob", to: "maison@x.example", network)
            #expect(try await told(DataSubject(expert.id), network).letters == ["3 Bob"])
            try await erase(DataSubject(expert.id), network)
            #expect(try await subjects(network) == ["1 maison", "2 reçu"])
        }
    }

    @Test("a letter that names no reader, at a shared address, is no one's until one of the two is gone")
    func shared() async throws {
        try await withNetwork { network in
            let ana = try await network.directory.person("Ana", "A", email: "nous@x.example")
            let expert = try await network.directory.expert("Ana Web") { $0.email = "nous@x.example" }
            try await send("1 personne", to: "nous@x.example", network)
            #expect(try await told(DataSubject(ana.id), network).letters == [])
            #expect(try await told(DataSubject(expert.id), network).letters == [])
            try await erase(DataSubject(ana.id), network)
            #expect(try await subjects(network) == ["1 personne"])
            #expect(try await told(DataSubject(expert.id), network).letters == ["1 personne"])
            try await erase(DataSubject(expert.id), network)
            #expect(try await subjects(network) == [])
        }
    }

    @Test("the survivor of a merge reads the merged record's letters, and no longer once it is undone")
    func merged() async throws {
        try await withNetwork { network in
            let (one, two) = (
                try await network.directory.person("Ana", "A", email: "une@x.example"),
                try await network.directory.person("Ana", "A.", email: "deux@x.example")
            )
            try await send("1 personne", to: "une@x.example", network)
            try await send("2 Ana", to: "une@x.example", for: DataSubject(one.id), network)
            let merge = try await network.directory.merge(one.id.record, into: two.id.record, .person)
            #expect(try await told(DataSubject(two.id), network).letters == ["1 personne", "2 Ana"])
            _ = try await network.directory.undo(merge)
            #expect(try await told(DataSubject(two.id), network).letters == [])
            #expect(try await told(DataSubject(one.id), network).letters == ["1 personne", "2 Ana"])
        }
    }

    @Test("old letters without a reader are not disclosed if someone else was mailed at the address")
    func before() async throws {
        try await withNetwork { network in
            let gone = DataSubject(Person.ID())
            let expert = try await network.directory.expert("Bob Web") { $0.email = "contact@x.example" }
            try await send("1 ancienne", to: "contact@x.example", network)
            #expect(try await told(DataSubject(expert.id), network).letters == ["1 ancienne"])
            // As if the address had been given up before the directory recorded that.
            try await send("2 autre", to: "contact@x.example", for: gone, network)
            #expect(try await told(DataSubject(expert.id), network).letters == [])
            try await erase(DataSubject(expert.id), network)
            #expect(try await subjects(network) == ["1 ancienne", "2 autre"])
        }
    }

    @Test(
        "an unsubscription belongs to the address's owner at the time, and not to its present owner"
    )
    func unsubscribed() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person(
                "Ana", "A", email: "contact@x.example", consents: .init(flashInfo: true))
            let expert = try await directory.expert("Bob Web") { $0.consents = .init(flashInfo: true) }
            let time = Timestamp.now
            try await directory.backend.database.execute(
                "update person set email = 'ana@z.example' where id = \(ana.id)")
            try await directory.backend.database.execute(
                "update expert set email = 'contact@x.example' where id = \(expert.id)")
            let id = Suppression.ID()
            let notice = #"""
                {"id":"\#(id)","email":"contact@x.example","reason":"unsubscribed","unsubscribedAt":"\#(time.text)"}
                """#
            let change = Change(
                cursor: try Cursor(validating: "x"), entity: .suppression, id: id.text, action: .created, version: nil,
                at: time, data: try LenientJSON.decode(JSONValue.self, from: Array(notice.utf8)))
            for _ in 1...2 {
                try await directory.backend.database.transaction { try await Unsubscriptions.apply([change], $0) }
            }
            #expect(try await directory.person(ana.id).consents.flashInfo?.agreed == false)
            let left = try await directory.client(.operator).send(GetExpert.request(path: expert.id))
            #expect(left.consents.flashInfo?.agreed == true && left.version == 1)
        }
    }
}
