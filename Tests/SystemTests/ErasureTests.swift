import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import Postgres
import ServiceKit
import TestKit
import Testing

/// A person with a unique name, present everywhere in the club, and then nowhere.
@Suite("erasure", .serialized)
struct ErasureTests {
    private static let former: EmailAddress = "zephyrine@rarissime.example"
    private static let address: EmailAddress = "z.quettehou@introuvable.example"
    private static let double: EmailAddress = "double@rarissime.example"
    private static let firm: EmailAddress = "contact@agence-unique.example"
    private static let words = [
        "Zéphyrine", "Zephyrine", "Quettehou", "rarissime", "introuvable", "agence-unique", "+33698765431",
        "698765431",
    ]

    @Test(
        "after an erasure the schemas and all logs have no trace of the person, though two services were down"
    )
    func everywhere() async throws {
        try await TestCluster.private(logging: true) { cluster in
            try TestRoles.deploy(on: cluster)
            try await TestClub.run(on: cluster, settings: ["LOG_LEVEL": "debug"]) { try await erase(in: $0) }
            let log = try cluster.log()
            #expect(Trace.found(of: Self.words, in: log).isEmpty, "the log of the database")
            // It contains the statements that the database refused.
            for refusal in ["duplicate key value", "violates check constraint"] { #expect(log.contains(refusal)) }
        }
    }

    @Test("negative control: with the server's default logging, the log keeps an address that was a duplicate")
    func toldTheLog() async throws {
        try await TestCluster.private(logging: true) { cluster in
            try await TestClub.run([.directory], on: cluster) { club in
                for _ in 1...2 { _ = try? await double(in: club) }
            }
            #expect(Trace.found(of: Self.words, in: try cluster.log()).contains("rarissime"))
        }
    }

    private func erase(in club: TestClub) async throws {
        let person = try await settle(in: club)
        let expert = try await importExpert(in: club)
        try await mail(to: [Self.former, Self.firm], in: club)
        try await double(person, in: club)
        try await change(person, in: club)
        try await write(in: club)
        try await beRefused(in: club)

        // These traces exist: the search below can find them.
        for service in ServiceName.allCases {
            let found = Trace.found(of: Self.words, in: try club.database.dump(schema: service.rawValue))
            #expect(found.contains("Quettehou"), "\(service.rawValue)")
        }
        let all = Trace.found(of: Self.words, in: try club.database.dump())
        #expect(all.count >= 7, "\(all)")
        let document = try await club.client(.directory).send(
            GetPersonData.request(path: person.id))
        #expect(document.services.map(\.service) == ServiceName.allCases)
        let told = String(decoding: try WireJSON.encode(document), as: UTF8.self)
        for word in [
            "Quettehou", "rarissime", "introuvable", "Sans gluten", "Souveraineté", "flashInfo", "698765431",
            // The merged record, its links, and what is kept by a former address.
            "double@rarissime", "askedAt", #""reason":"manual""#,
        ] {
            #expect(told.contains(word), "\(word)")
        }
        let heads = try await club.club("audit", "heads")
        let noted = "\(club.folder)/heads.json"
        try heads.output.write(toFile: noted, atomically: true, encoding: .utf8)

        for service in [ServiceName.lobbying, .content] {
            club[service].signal(SIGKILL)
            await club[service].waitForExit()
        }
        let directory = try club.client(.directory)
        let erasures = [
            try await directory.send(CreateErasure.request(body: .init(person: person.id))),
            try await directory.send(CreateErasure.request(body: .init(expert: expert.id))),
        ]
        for erasure in erasures {
            let half = try await wait(for: erasure.id, in: club) { erasure in
                erasure.services.filter { $0.doneAt != nil }.map(\.service) == [.directory, .events]
            }
            #expect(half.state == .erasing)
        }
        for service in [ServiceName.lobbying, .content] { try await club[service].start() }
        for erasure in erasures {
            let done = try await wait(for: erasure.id, in: club) { $0.state == .done }
            #expect(done.services.allSatisfy { $0.doneAt != nil } && done.completedAt != nil)
        }

        let dump = try club.database.dump()
        #expect(Trace.found(of: Self.words, in: dump).isEmpty)
        for service in ServiceName.allCases {
            #expect(Trace.found(of: Self.words, in: club[service].output).isEmpty, "the log of \(service.rawValue)")
        }
        let verified = try await club.club("audit", "verify", "--noted", noted)
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")

        try await mailNeverAgain(in: club)
    }

    @Test(
        "a chain cut off together with its head is detected by the head that the operator kept, and by nothing else"
    )
    func cutOff() async throws {
        try await TestClub.run { club in
            for number in 1...5 {
                _ = try await club.client(.directory).send(
                    CreatePerson.request(body: .init(givenName: "P", familyName: Line(validating: "N\(number)"))))
            }
            try await club.database.withClient(searchPath: "directory") { owner in
                try await eventually("the trail is sealed") {
                    try await owner.first("select seq from audit_head")?["seq", as: Int.self] == 5
                }
            }
            let noted = "\(club.folder)/heads.json"
            try await club.club("audit", "heads").output.write(toFile: noted, atomically: true, encoding: .utf8)
            #expect(try await club.club("audit", "verify", "--noted", noted).status == 0)
            try await club.database.withClient(searchPath: "directory") { owner in
                try await owner.execute("alter table audit disable trigger audit_guard")
                try await owner.execute("alter table audit_head disable trigger audit_head_guard")
                try await owner.execute("delete from audit where seq > 3")
                try await owner.execute(
                    "update audit_head set seq = 3, hash = (select hash from audit where seq = 3)")
                try await owner.execute("alter table audit enable always trigger audit_guard")
                try await owner.execute("alter table audit_head enable always trigger audit_head_guard")
            }
            #expect(try await club.club("audit", "verify").status == 0)
            let found = try await club.club("audit", "verify", "--noted", noted)
            #expect(found.status == 1 && found.output.contains("cutOff at 4"))
        }
    }

    // MARK: Steps

    /// A person who is an ambassador, registered for an event, invited to a meeting, and has written a text.
    private func settle(in club: TestClub) async throws -> Person {
        let directory = try club.client(.directory)
        let home = try await directory.send(
            CreateOrganization.request(body: .init(kind: .institution, name: "Chambre")))
        let person = try await directory.send(
            CreatePerson.request(
                body: .init(
                    givenName: "Zéphyrine", familyName: "Quettehou", email: Self.former, telephone: "+33698765431",
                    organization: home.id, consents: .init(flashInfo: true))))
        _ = try await directory.send(
            CreateAmbassador.request(body: .init(person: person.id, organization: home.id, departements: ["64"])))
        _ = try await directory.send(
            CreateMandate.request(
                path: home.id, body: .init(person: person.id, kind: .titular, from: "2026-01-01")))
        let events = try club.client(.events)
        let start = Timestamp.now.advanced(by: .seconds(30 * 86_400))
        let event = try await events.send(
            CreateEvent.request(
                body: .init(
                    title: "Club des Partenaires", kind: .partnersClub, startsAt: start,
                    endsAt: start.advanced(by: .seconds(7200)), venue: "Paris")))
        _ = try await events.send(
            AddSession.request(
                path: event.id, body: .init(title: "Plénière", kind: .plenary, capacity: 10)))
        _ = try await events.send(TransitionEvent.request(path: event.id, body: .init(to: .published)))
        let registration = try await events.send(
            RegisterForEvent.request(
                path: event.id,
                body: .init(person: person.id, note: "Sans gluten pour Zéphyrine Quettehou.")))
        #expect(registration.personName == "Zéphyrine Quettehou")
        let lobbying = try club.client(.lobbying)
        let meeting = try await lobbying.send(
            CreateCircleMeeting.request(body: .init(date: "2027-03-14", place: "Paris", theme: "Souveraineté")))
        _ = try await lobbying.send(
            Invite.request(path: meeting.id, body: .init(person: person.id)))
        _ = try await lobbying.send(
            RecordAttendance.request(path: meeting.id, body: .init(officials: [], people: [person.id])))
        return person
    }

    /// A duplicate of the person, with a seat of its own, is merged into the first; the services follow.
    private func double(_ person: Person, in club: TestClub) async throws {
        let (directory, events) = (try club.client(.directory), try club.client(.events))
        let double = try await double(in: club)
        let event = try await events.send(ListEvents.request(query: .init())).items[0]
        _ = try await events.send(
            RegisterForEvent.request(
                path: event.id, body: .init(person: double.id, note: "Zephyrine Quettehou, encore.")))
        _ = try await directory.send(
            MergeRecords.request(
                body: .init(
                    kind: .person, survivor: .init(person.id.uuid), merged: .init(double.id.uuid))))
        try await eventually("the registrations are joined") {
            try await events.send(
                ListRegistrations.request(path: event.id, query: .init(), body: Empty())
            ).items.count == 1
        }
    }

    private func double(in club: TestClub) async throws -> Person {
        try await club.client(.directory).send(
            CreatePerson.request(
                body: .init(
                    givenName: "Zephyrine", familyName: "Quettehou", email: Self.double, telephone: "+33698765431")))
    }

    /// A taken address and a text that is too long, each refused by a database constraint.
    private func beRefused(in club: TestClub) async throws {
        let directory = try club.client(.directory)
        await #expect(throws: ServiceClientError.self) {
            _ = try await directory.send(
                CreatePerson.request(
                    body: .init(givenName: "Zéphyrine", familyName: "Quettehou", email: Self.address)))
        }
        await #expect(throws: ServiceClientError.self) {
            _ = try await directory.send(
                CreateReferral.request(
                    body: .init(
                        topics: ["cybersecurity"], postalCode: "64000",
                        description: Prose(validating: "Quettehou. " + String(repeating: "x", count: 2000)),
                        firm: .init(name: "Au bon pain", email: Self.address))))
        }
    }

    /// Letters to the person and the firm, who request self-service links; and a referral that names both.
    private func write(in club: TestClub) async throws {
        let (directory, content) = (try club.client(.directory), try club.client(.content))
        for email in [Self.address, Self.firm] {
            _ = try await directory.send(RequestSelfServiceLink.request(body: .init(email: email)))
        }
        try await eventually("both letters are sent") {
            try await content.send(ListLetters.request(query: .init(.init(state: .sent)))).items.count == 2
        }
        _ = try await directory.send(
            CreateReferral.request(
                body: .init(
                    topics: ["cybersecurity"], postalCode: "64000",
                    description: "Ce que Quettehou Web, de Zéphyrine Quettehou, a fait chez nous.",
                    firm: .init(name: "Au bon pain", email: Self.address))))
    }

    /// A one-person firm, imported from a file.
    private func importExpert(in club: TestClub) async throws -> Expert {
        let file = """
            subKind,name,contactName,email,telephone,postalCode,commune,flashInfo
            webAgency,Quettehou Web,Zéphyrine Quettehou,\(Self.firm),+33698765431,64000,Pau,true

            """
        let directory = try club.client(.directory)
        let report = try await directory.upload(
            ImportExperts.request(query: .init(mode: .apply)), body: OneChunk(text: file))
        try #require(report.created == 1)
        return try await directory.send(ListExperts.request(query: .init(.init(email: Self.firm)))).items[0]
    }

    /// A Flash info that is sent to these addresses; the first one unsubscribes.
    private func mail(to addresses: [EmailAddress], in club: TestClub) async throws {
        #expect(try await sendIssue(in: club) == Set(addresses))
        _ = try await club.client(.content).send(
            CreateSuppression.request(body: .init(email: Self.former, reason: .manual)))
    }

    /// The addresses that an issue was sent to.
    private func sendIssue(in club: TestClub) async throws -> Set<EmailAddress> {
        let content = try club.client(.content)
        let issue = try await content.send(CreateIssue.request(body: .init(title: "Flash info")))
        _ = try await content.send(
            AddIssueItem.request(
                path: issue.id, body: .init(kind: .technical, title: "Une nouvelle", text: "Du texte.")))
        _ = try await content.send(TransitionIssue.request(path: issue.id, body: .init(to: .sending)))
        try await eventually("the issue is sent") {
            try await content.send(GetIssue.request(path: issue.id)).state == .sent
        }
        let sent = try await content.send(
            ListDeliveries.request(path: issue.id, query: .init(), body: Empty()))
        return Set(sent.items.map(\.email))
    }

    /// Gives the person another address, searches for it and the name; then the person consents with their own token.
    private func change(_ person: Person, in club: TestClub) async throws {
        let directory = try club.client(.directory)
        let version = try await directory.send(GetPerson.request(path: person.id)).version
        _ = try await directory.send(
            ChangePerson.request(path: person.id, body: .init(email: Self.address), ifMatch: version))
        _ = try await directory.send(ListPeople.request(query: .init(.init(email: Self.address))))
        _ = try await directory.send(ListPeople.request(query: .init(.init(q: "Zéphyrine Quettehou"))))
        let token = try TokenSigner.personToken(
            key: KeyFile(path: "\(club.folder)/operator.json"), subject: Self.address.text, role: .ambassador,
            person: person.id, ttl: .seconds(600))
        let itself = ServiceClient(
            name: .directory, url: club[.directory].url, credentials: .bearer(token), http: .shared)
        _ = try await itself.send(
            AddPersonConsent.request(
                path: person.id, body: .init(purpose: .eventInvitations, agreed: true)))
        await #expect(throws: ServiceClientError.self) {
            _ = try await itself.send(CreateOrganization.request(body: .init(kind: .brand, name: "Pris")))
        }
    }

    /// Someone registers the same addresses again: they are not mailed until they consent again.
    private func mailNeverAgain(in club: TestClub) async throws {
        let directory = try club.client(.directory)
        var first: Person?
        for email in [Self.former, Self.address, "autre@example.org"] as [EmailAddress] {
            let person = try await directory.send(
                CreatePerson.request(body: .init(givenName: "Ana", familyName: "Etcheverry", email: email)))
            _ = try await directory.send(CreateAmbassador.request(body: .init(person: person.id)))
            _ = try await directory.send(
                AddPersonConsent.request(
                    path: person.id,
                    body: .init(
                        purpose: .flashInfo, agreed: true, source: .paper, at: .now.advanced(by: .seconds(-86_400)))))
            first = first ?? person
        }
        #expect(try await sendIssue(in: club) == ["autre@example.org"])
        await #expect(throws: ServiceClientError.self) {
            _ = try await club.client(.content).send(
                CreateSuppression.request(body: .init(email: Self.address, reason: .manual)))
        }
        let dump = try club.database.dump(schema: "content")
        #expect(Trace.found(of: ["introuvable"], in: dump).isEmpty)
        _ = try await directory.send(
            AddPersonConsent.request(
                path: #require(first).id, body: .init(purpose: .flashInfo, agreed: true)))
        #expect(try await sendIssue(in: club) == [Self.former, "autre@example.org"])
    }

    private func wait(
        for erasure: Erasure.ID, in club: TestClub, until isReached: (Erasure) -> Bool
    ) async throws -> Erasure {
        let directory = try club.client(.directory)
        for _ in 0..<1200 {
            let now = try await directory.send(GetErasure.request(path: erasure))
            if isReached(now) { return now }
            try await Task.sleep(for: .milliseconds(100))
        }
        let now = try await directory.send(GetErasure.request(path: erasure))
        throw ServiceProcess.Failure(description: "still \(now.state.rawValue): \(now.services)")
    }
}

/// Searches for a word in every form in which it may have been stored.
enum Trace {
    /// The words that the text contains: literally, ignoring case, as escaped in JSON, in hexadecimal (as `pg_dump`
    /// writes bytes), or in Base64 at any of the three offsets.
    static func found(of words: [String], in text: String) -> [String] {
        let lowered = text.lowercased()
        return words.filter { word in
            forms(word).contains { lowered.contains($0) } || base64(word).contains { text.contains($0) }
        }
    }

    private static func forms(_ word: String) -> [String] {
        let lowered = word.lowercased()
        let escaped = word.unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "\\u" + String(format: "%04x", scalar.value)
        }.joined().lowercased()
        return [lowered, escaped]
            + [word, lowered].map { text in
                text.utf8.map { String(format: "%02x", $0) }.joined()
            }
    }

    /// The part of the encoded word that does not depend on its neighbours.
    private static func base64(_ word: String) -> [String] {
        (0..<3).map { offset in
            let bytes = Data(repeating: 0, count: offset) + Data(word.utf8)
            let whole = bytes.count / 3 * 3
            return String(bytes.prefix(whole).base64EncodedString().dropFirst(offset == 0 ? 0 : 4))
        }
    }
}
