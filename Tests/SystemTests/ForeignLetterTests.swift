import AsyncHTTPClient
import ClubProtocol
import Foundation
import ServiceKit
import TestKit
import Testing

/// Someone else's letters, with all four services running.
@Suite("letters at an address that changed hands", .serialized)
struct ForeignLetterTests {
    @Test(
        "an expert with a reused address neither reads nor erases its previous owner's letters"
    )
    func document() async throws {
        try await TestClub.run { club in
            let (directory, content) = (try club.client(.directory), try club.client(.content))
            let ana = try await directory.send(
                CreatePerson.request(
                    body: .init(givenName: "Ana", familyName: "Etcheverry", email: "contact@agence.example")))
            let expert = try await directory.send(
                CreateExpert.request(
                    body: .init(subKind: .webAgency, name: "Bob Web", postalCode: "64000", commune: "Pau")))
            func send(_ subject: Line, _ reader: DataSubject?) async throws {
                _ = try await content.send(
                    SendLetter.request(
                        body: .init(
                            key: subject, purpose: .notice, email: "contact@agence.example", name: nil, reader: reader,
                            subject: subject, paragraphs: ["Bonjour."])))
            }
            try await send("Pour Ana", DataSubject(ana.id))
            try await send("Sans nom", nil)
            _ = try await directory.send(
                ChangePerson.request(
                    path: ana.id, body: .init(email: .some("ana@ailleurs.example")), ifMatch: 1))
            let itself = ServiceClient(
                name: .directory, url: club[.directory].url,
                credentials: .bearer(try club.token(.expert, organization: Organization.ID(expert.id.uuid))),
                http: .shared)
            try await waitForPeers(itself, expert.id)
            _ = try await itself.send(
                ChangeExpert.request(
                    path: expert.id, body: .init(email: .some("contact@agence.example")), ifMatch: 1))
            try await send("Pour Bob", DataSubject(expert.id))

            let own = String(
                decoding: try WireJSON.encode(
                    try await itself.send(GetExpertData.request(path: expert.id))), as: UTF8.self)
            #expect(own.contains("Pour Bob") && !own.contains("Pour Ana") && !own.contains("Sans nom"))
            func ofAna() async throws -> String {
                String(
                    decoding: try WireJSON.encode(
                        try await directory.send(GetPersonData.request(path: ana.id))), as: UTF8.self)
            }
            var document = try await ofAna()
            #expect(document.contains("Pour Ana") && document.contains("Sans nom") && !document.contains("Pour Bob"))

            let erasure = try await directory.send(CreateErasure.request(body: .init(expert: expert.id)))
            try await eventually("it is erased everywhere") {
                try await directory.send(GetErasure.request(path: erasure.id)).state == .done
            }
            document = try await ofAna()
            #expect(document.contains("Pour Ana") && document.contains("Sans nom"))
            let letters = try await content.send(ListLetters.request(query: .init())).items
            #expect(Set(letters.map(\.subject)) == ["Pour Ana", "Sans nom"])
        }
    }

    @Test(
        "an expert that claims a non-member's address neither reads nor erases their letter or complaint"
    )
    func stranger() async throws {
        try await TestClub.run { club in
            let (directory, content) = (try club.client(.directory), try club.client(.content))
            func send(_ subject: Line, to email: EmailAddress) async throws {
                _ = try await content.send(
                    SendLetter.request(
                        body: .init(
                            key: subject, purpose: .notice, email: email, name: nil, subject: subject,
                            paragraphs: ["Bonjour."])))
            }
            let (victim, complaint): (EmailAddress, EmailAddress) = (
                "victim@stranger.example", "complaint@stranger.example"
            )
            try await send("Pour une inconnue", to: victim)
            try await send("Pour un autre inconnu", to: complaint)
            _ = try await content.send(CreateSuppression.request(body: .init(email: complaint, reason: .complaint)))
            let expert = try await directory.send(
                CreateExpert.request(
                    body: .init(subKind: .webAgency, name: "Bob Web", postalCode: "64000", commune: "Pau")))
            let itself = ServiceClient(
                name: .directory, url: club[.directory].url,
                credentials: .bearer(try club.token(.expert, organization: Organization.ID(expert.id.uuid))),
                http: .shared)
            try await waitForPeers(itself, expert.id)
            for (version, email) in [(1, victim), (2, complaint)] {
                _ = try await itself.send(
                    ChangeExpert.request(
                        path: expert.id, body: .init(email: .some(email)), ifMatch: version))
                let document = try await itself.send(GetExpertData.request(path: expert.id))
                let own = try #require(document.services.first { $0.service == .content }).data
                #expect(own["letters"]?.array == [] && own["suppressions"]?.array == [], "\(email)")
            }
            let erasure = try await directory.send(
                CreateErasure.request(body: .init(expert: expert.id, reason: .request)))
            try await eventually("it is erased everywhere") {
                try await directory.send(GetErasure.request(path: erasure.id)).state == .done
            }
            let letters = try await content.send(ListLetters.request(query: .init())).items
            #expect(Set(letters.map(\.subject)) == ["Pour une inconnue", "Pour un autre inconnu"])
            #expect(try await content.send(ListSuppressions.request(query: .init())).items.map(\.email) == [complaint])
        }
    }

    /// The directory starts first, and asks the others again a moment after it found that they do not listen yet.
    private func waitForPeers(_ client: ServiceClient, _ expert: Expert.ID) async throws {
        try await eventually("the directory reaches the others") {
            do {
                _ = try await client.send(GetExpertData.request(path: expert))
                return true
            } catch is ServiceClientError {
                return false
            }
        }
    }
}
