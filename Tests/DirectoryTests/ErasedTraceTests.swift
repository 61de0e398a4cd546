import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// What features keep about people besides their own records.
@Suite("traces of erased people")
struct ErasedTraceTests {
    private static let words = ["zéphyrine", "zephyrine", "quettehou", "rare.example", "698765431"]

    private func traces(_ directory: TestService) throws -> [String] {
        let dump = try directory.database.dump().lowercased()
        return Self.words.filter { dump.contains($0) }
    }

    @Test("records merged into a person are erased with them: images, addresses, ledger and keys")
    func merged() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("Maison")
            var records: [Person] = []
            for number in 1...3 {
                records.append(
                    try await operating.send(
                        CreatePerson.request(
                            body: .init(
                                givenName: "Zéphyrine", familyName: "Quettehou",
                                email: EmailAddress(validating: "z\(number)@rare.example"), telephone: "+33698765431",
                                consents: .init(flashInfo: true)))))
            }
            _ = try await directory.mandate(records[0].id, of: home.id, .titular, from: "2026-01-01")
            for person in [records[0], records[1]] {
                _ = try await operating.send(CreateAmbassador.request(body: .init(person: person.id)))
            }
            _ = try await directory.merge(records[0].id.record, into: records[1].id.record, .person)
            _ = try await directory.merge(records[1].id.record, into: records[2].id.record, .person)
            let ledger = try await operating.send(
                ListPersonConsents.request(path: records[2].id, query: .init(), body: Empty()))
            #expect(ledger.items.count == 3)
            #expect(try traces(directory).count == 5)

            let erasure = try await operating.send(CreateErasure.request(body: .init(person: records[2].id)))
            let notice = try await directory.client(.service).send(
                GetErasureNotice.request(path: erasure.id))
            #expect(Set(notice.aliases.map(\.uuid)) == [records[0].id.uuid, records[1].id.uuid])
            #expect(notice.emails == ["z1@rare.example", "z2@rare.example", "z3@rare.example"])
            for service in [ServiceName.events, .content, .lobbying] {
                let token = try directory.keys.token(.service, as: service, for: .directory)
                _ = try await directory.raw(
                    .post, "/v1/erasures/\(erasure.id)/reports", headers: ["Authorization": "Bearer \(token)"],
                    json: "{}")
            }
            try await waitUntilDone(erasure.id, directory)
            #expect(try traces(directory) == [])
            for table: SQL in ["person", "ambassador", "consent_entry", "merge"] {
                let left = try await directory.database.withClient(as: "directory") { client in
                    try await client.query("select from \(table)").count
                }
                #expect(left == 0, "\(table.text)")
            }
            let keys: [String] = try await directory.database.withClient(as: "directory") { client in
                try await client.query("select entity from audit_key order by entity").map { try $0["entity"] }
            }
            #expect(keys == ["mandate", "merge", "merge", "organization"])
        }
    }

    @Test("an erased expert's words no longer find anything, and texts by others no longer name them")
    func expert() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let expert = try await directory.expert("Quettehou Web") {
                $0.contactName = "Zéphyrine Quettehou"
                $0.email = "contact@rare.example"
                $0.telephone = "+33698765431"
                $0.topics = ["cybersecurity"]
            }
            let other = try await directory.expert("Autre") { $0.topics = ["cybersecurity"] }
            let referral = try await operating.send(
                CreateReferral.request(
                    body: .init(
                        topics: ["cybersecurity"], postalCode: "64000",
                        description: "Comme chez QUETTEHOU WEB (contact@rare.example), mais plus petit.",
                        firm: .init(
                            name: "Au bon pain", contact: "Zéphyrine Quettehou", email: "pain@example.org",
                            telephone: "+33698765431"))))
            try await refreshWords(directory)
            #expect(try traces(directory).count == 5)

            let erasure = try await operating.send(CreateErasure.request(body: .init(expert: expert.id)))
            for _ in 1...600 where try await ownReport(erasure.id, directory) == nil {
                try await Task.sleep(for: .milliseconds(50))
            }
            let words: [String] = try await directory.database.withClient(as: "directory") { client in
                try await client.query("select distinct word from expert_word order by word").map { try $0["word"] }
            }
            #expect(words == ["autre", "pau"])
            let left = try await operating.send(GetReferral.request(path: referral.id))
            #expect(left.description == "Comme chez […] ([…]), mais plus petit.")
            #expect(left.firm == nil)
            #expect(try await directory.ask("/v1/experts").items("id") == [other.id.text])
        }
    }

    @Test(
        "names are removed from texts in any spelling, with former names and telephones, but not from other words"
    )
    func spellings() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        givenName: "Zéphyrine", familyName: "Cœur-Noël", email: "z1@rare.example",
                        telephone: "+33698765431")))
            let double = try await directory.person("Zephyrine", "Ibarra", email: "z2@rare.example")
            _ = try await directory.merge(double.id.record, into: person.id.record, .person)
            func referral(_ text: Prose, contact: Line? = nil) async throws -> Referral.ID {
                try await operating.send(
                    CreateReferral.request(
                        body: .init(
                            topics: ["cybersecurity"], postalCode: "64000", description: text,
                            firm: .init(name: "Au bon pain", contact: contact)))
                ).id
            }
            let named = try await referral(
                "Demander ZEPHYRINE  coeur noel (06 98 76 54 31), z2@rare.example, +33 (0)6.98.76.54.31 ou IBARRA Zéphyrine."
            )
            let unnamed = try await referral("Zéphyrine Ibarrart, azz2@rare.example, 06 98 76 54 319.")
            let contact = try await referral("Un site.", contact: "Zéphyrine IBARRA")
            _ = try await operating.send(CreateErasure.request(body: .init(person: person.id)))
            func get(_ id: Referral.ID) async throws -> Referral {
                try await operating.send(GetReferral.request(path: id))
            }
            #expect(try await get(named).description == "Demander […] ([…]), […], […] ou […].")
            #expect(
                try await get(unnamed).description == "Zéphyrine Ibarrart, azz2@rare.example, 06 98 76 54 319.")
            #expect(try await get(unnamed).version == 1)
            #expect(try await get(contact).firm == nil)
        }
    }

    @Test(
        "an expert with the name or number of a referral's contact erases nothing of the contact",
        arguments: ["number", "ownWord", "namesake", "switchboard"])
    func borrowed(how: String) async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let number: Telephone = "+33559112233"
            func referral(_ text: Prose, _ firm: Firm? = nil) async throws -> Referral {
                try await operating.send(
                    CreateReferral.request(
                        body: .init(topics: ["cybersecurity"], postalCode: "64000", description: text, firm: firm)))
            }
            // A contact without a record.
            let marie = Firm(
                name: "Boulangerie", contact: "Marie Darrieux", email: "marie@pain.example", telephone: number)
            let before = [
                try await referral("Un site.", marie),
                try await referral(
                    "Un autre.", Firm(name: "Boulangerie", contact: "Marie Darrieux", telephone: number)),
                try await referral("Par téléphone.", Firm(name: "Boulangerie", telephone: number)),
                try await referral("Rappeler au 05 59 11 22 33."),
            ]
            let expert = try await directory.expert("Atelier Zola") {
                $0.email = "zola@rare.example"
                if how == "namesake" {
                    $0.contactName = "Marie Darrieux"
                    $0.telephone = "+33698765431"
                }
                if how == "switchboard" { $0.telephone = number }
            }
            if how == "number" || how == "ownWord" {
                let name = how == "ownWord" ? #","contactName":"Marie Darrieux""# : ""
                let changed = try await directory.ask(
                    .patch, "/v1/experts/\(expert.id)", as: .expert, organization: .init(expert.id.uuid), ifMatch: 1,
                    json: #"{"telephone":"\#(number.text)"\#(name)}"#)
                #expect(changed.status == 200)
            }
            let own = try await referral(
                "Pour l'atelier.", Firm(name: "Atelier Zola", contact: "Atelier Zola", email: "zola@rare.example"))
            _ = try await operating.send(CreateErasure.request(body: .init(expert: expert.id)))
            for one in before {
                let now = try await operating.send(GetReferral.request(path: one.id))
                #expect(now.firm == one.firm && now.description == one.description && now.version == one.version)
            }
            let gone = try await operating.send(GetReferral.request(path: own.id))
            #expect(gone.firm == nil)
        }
    }

    @Test("a self-given name is removed from texts written since, and from no older ones")
    func ownWord() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ana = try await directory.person("Ana", "Ader")
            func referral() async throws -> Referral.ID {
                try await operating.send(
                    CreateReferral.request(
                        body: .init(
                            topics: ["cybersecurity"], postalCode: "64000", description: "Un site web pour Ana Ader.",
                            firm: .init(name: "Au bon pain", contact: "Site Web")))
                ).id
            }
            let older = try await referral()
            let changed = try await directory.ask(
                .patch, "/v1/people/\(ana.id)", as: .ambassador, person: ana.id, ifMatch: 1,
                json: #"{"givenName":"Site","familyName":"Web"}"#)
            #expect(changed.status == 200)
            let newer = try await referral()
            _ = try await operating.send(CreateErasure.request(body: .init(person: ana.id)))
            let (first, second) = (
                try await operating.send(GetReferral.request(path: older)),
                try await operating.send(GetReferral.request(path: newer))
            )
            #expect(first.description == "Un site web pour Ana Ader." && first.firm?.contact == "Site Web")
            #expect(second.description == "Un […] pour Ana Ader." && second.firm == nil)
        }
    }

    @Test(
        "an address in a text belongs to its owner at the time; a later owner's erasure does not remove it"
    )
    func takenOver() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ana = try await directory.person("Ana", "Etcheverry", email: "contact@x.example")
            let expert = try await directory.expert("Bob Web")
            func referral() async throws -> Referral.ID {
                try await operating.send(
                    CreateReferral.request(
                        body: .init(
                            topics: ["cybersecurity"], postalCode: "64000",
                            description: "Demander à contact@x.example.",
                            firm: .init(name: "Au bon pain", email: "Contact@x.example")))
                ).id
            }
            func get(_ id: Referral.ID) async throws -> Referral {
                try await operating.send(GetReferral.request(path: id))
            }
            let before = try await referral()
            try await directory.backend.database.execute(
                "update person set email = 'ana@z.example' where id = \(ana.id)")
            try await directory.backend.database.execute(
                "update expert set email = 'contact@x.example' where id = \(expert.id)")
            let after = try await referral()
            _ = try await operating.send(CreateErasure.request(body: .init(expert: expert.id)))
            var (first, second) = (try await get(before), try await get(after))
            #expect(first.firm?.email == "Contact@x.example" && first.version == 1)
            #expect(first.description == "Demander à contact@x.example.")
            #expect(second.firm == nil && second.description == "Demander à […].")
            _ = try await operating.send(CreateErasure.request(body: .init(person: ana.id)))
            (first, second) = (try await get(before), try await get(after))
            #expect(first.firm == nil && first.description == "Demander à […]." && second.version == 2)
        }
    }

    @Test("a question asked of no one else is erased with the answer; one that others were asked is kept")
    func questions() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ana = try await directory.person("Ana", "A")
            let bob = try await directory.person("Bob", "B")
            for (person, question) in [
                (ana, "Ana, voulez-vous le Flash info ?"), (ana, "Voulez-vous le Flash info ?"),
                (bob, "Voulez-vous le Flash info ?"),
            ] as [(Person, Prose)] {
                _ = try await operating.send(
                    AddPersonConsent.request(
                        path: person.id,
                        body: .init(purpose: .flashInfo, agreed: true, wording: question)))
            }
            _ = try await operating.send(CreateErasure.request(body: .init(person: ana.id)))
            let left: [String] = try await directory.backend.database.query(
                "select text from consent_wording where not standard"
            ).map { try $0["text"] }
            #expect(left == ["Voulez-vous le Flash info ?"])
        }
    }

    @Test("a merge and its undo leave every line of the ledger unchanged, and add none")
    func ledger() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ana = try await directory.person("Ana", "A", consents: .init(flashInfo: true, partnerOffers: false))
            let bob = try await directory.person("Anna", "A", consents: .init(flashInfo: false))
            func lines(_ person: Person) async throws -> [ConsentEntry] {
                try await operating.send(
                    ListPersonConsents.request(path: person.id, query: .init(), body: Empty())
                ).items
            }
            let before = (try await lines(ana), try await lines(bob))
            let merge = try await directory.merge(bob.id.record, into: ana.id.record, .person)
            #expect(try await lines(ana).count == 3)
            #expect(try await directory.person(ana.id).consents.flashInfo?.agreed == false)
            _ = try await directory.undo(merge)
            #expect(try await lines(ana) == before.0)
            #expect(try await lines(bob) == before.1)
        }
    }

    // MARK: Steps

    private func refreshWords(_ directory: TestService) async throws {
        try await directory.database.withClient(as: "directory", searchPath: "directory") { client in
            try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
        }
    }

    private func ownReport(_ id: Erasure.ID, _ directory: TestService) async throws -> Timestamp? {
        try await directory.client(.operator).send(GetErasure.request(path: id)).services.first?.doneAt
    }

    private func waitUntilDone(_ id: Erasure.ID, _ directory: TestService) async throws {
        for _ in 1...600 {
            let now = try await directory.client(.operator).send(GetErasure.request(path: id))
            if now.state == .done { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Testing.Issue.record("the erasure did not end")
    }
}
