import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// A refusal is found by every address that the person has or had, in whatever record.
@Suite("what a file may not say after a refusal")
struct ImportRefusalTests {
    private static let no = #"{"purpose":"flashInfo","agreed":false}"#

    private func marie(_ directory: TestService) async throws -> Person {
        let marie = try await directory.client(.operator).send(
            CreatePerson.request(
                body: .init(
                    givenName: "Marie", familyName: "Anna", email: "old@anna.example",
                    otherEmails: ["autre@anna.example"])))
        let json = #"{"email":"new@anna.example","otherEmails":null}"#
        #expect(try await directory.ask(.patch, "/v1/people/\(marie.id)", ifMatch: 1, json: json).status == 200)
        return marie
    }

    @Test(
        "an old list with a former address creates no second consenting record, and a merge keeps the refusal",
        arguments: ["old@anna.example", "autre@anna.example"])
    func former(address: String) async throws {
        try await withDirectory { directory in
            let marie = try await marie(directory)
            #expect(try await directory.ask(.post, "/v1/people/\(marie.id)/consents", json: Self.no).status == 201)
            let report = try await directory.takes(
                .people, "prenom,nom,email,flashInfo,partnerOffers\nMarie,Anna,\(address),oui,oui\n")
            #expect(report.created == 1 && report.notes?.map(\.column) == ["flashInfo"])
            let ids = try await directory.ask("/v1/people").items("id")
            let double = try Person.ID(validating: try #require(ids.first { $0 != marie.id.text }))
            let second = try await directory.person(double).consents
            #expect(second.flashInfo == nil && second.partnerOffers?.agreed == true)
            _ = try await directory.merge(double.record, into: marie.id.record, .person)
            #expect(try await directory.person(marie.id).consents.flashInfo?.agreed == false)
            // The answers of a merged record are its survivor's.
            let again = try await directory.takes(
                .experts, "name,type,email,postalCode,commune,flashInfo\nA,agence,\(address),64000,Pau,oui\n")
            #expect(again.created == 1 && again.notes?.map(\.column) == ["flashInfo"])
        }
    }

    @Test("an expert's former address is found in the same way, also after a merge that dropped it")
    func formerOfExpert() async throws {
        try await withDirectory { directory in
            let survivor = try await directory.expert("Atelier") {
                $0.email = "un@a.example"
                $0.consents = .init(flashInfo: false, publicDirectory: false)
            }
            let merged = try await directory.expert("L'Atelier") { $0.email = "deux@a.example" }
            _ = try await directory.merge(merged.id.record, into: survivor.id.record, .expert)
            let report = try await directory.takes(
                .experts,
                """
                name,type,email,postalCode,commune,flashInfo,annuaire
                Atelier numérique,agence,deux@a.example,64000,Pau,oui,oui

                """)
            #expect(report.created == 1 && report.notes?.map(\.column) == ["flashInfo", "annuaire"])
        }
    }

    @Test(
        "in a merge an undated consent from a file does not override a refusal, however late; a dated one does",
        arguments: [true, false])
    func merged(isSurvivor: Bool) async throws {
        try await withDirectory { directory in
            let yesterday = Timestamp.now.advanced(by: .seconds(-86_400))
            let operating = try directory.client(.operator)
            for (records, header) in [
                (Import.Records.people, "nom,email"), (.experts, "type,postalCode,commune,name,email"),
            ] {
                let cells = records == .people ? "Été" : "agence,64000,Pau,Été"
                let columns = "flashInfo,partnerOffers"
                let email = "\(records)@a.example"
                _ = try await directory.takes(records, "\(header),\(columns)\n\(cells),\(email),oui,oui\n")
                let dated = "eventInvitations,consentDate,consentSource"
                _ = try await directory.takes(
                    records, "\(header),\(dated)\n\(cells),\(email),oui,\(Day.today),Fiche\n")
                let path = records == .people ? "people" : "experts"
                let imported = try #require(try await directory.ask("/v1/\(path)").items("id").first)
                let choices = ConsentChoices()
                let own =
                    records == .people
                    ? try await directory.person("Ada", "Été", consents: choices).id.record
                    : try await directory.expert("L'Été").id.record
                for purpose in ["flashInfo", "eventInvitations"] {
                    let answer = #"{"purpose":"\#(purpose)","agreed":false,"source":"paper","at":"\#(yesterday)"}"#
                    #expect(
                        try await directory.ask(.post, "/v1/\(path)/\(own)/consents", json: answer).status == 201)
                }
                let other = try DirectoryRecord.ID(validating: imported)
                let (survivor, merged) = isSurvivor ? (own, other) : (other, own)
                _ = try await directory.merge(merged, into: survivor, records == .people ? .person : .expert)
                let consents =
                    records == .people
                    ? try await directory.person(.init(survivor.uuid)).consents
                    : try await operating.send(GetExpert.request(path: .init(survivor.uuid))).consents
                #expect(consents.flashInfo == Consent(agreed: false, at: yesterday), "\(records)")
                #expect(consents.eventInvitations?.agreed == true && consents.partnerOffers?.agreed == true)
            }
        }
    }

    @Test("a refusal counts for the mailbox, for every kind of record")
    func acrossKinds() async throws {
        try await withDirectory { directory in
            let ida = try await directory.person(
                "Ida", "I", email: "ida@box.example", consents: .init(flashInfo: false, publicDirectory: false))
            let file = """
                name,type,email,postalCode,commune,flashInfo,annuaire,partnerOffers
                Agence Ida,agence web,Ida@box.example,64000,Pau,oui,oui,oui

                """
            let dry = try await directory.raw(
                .post, "/v1/imports/experts", role: .operator, headers: ["Content-Type": "text/csv"],
                body: Array(file.utf8)
            ).decode(ImportReport.self)
            for report in [dry, try await directory.takes(.experts, file), try await directory.takes(.experts, file)] {
                #expect(report.notes?.map(\.column) == ["flashInfo", "annuaire"] && report.rejected == 0)
            }
            let answers = try await directory.backend.database.first(
                "select consents -> 'partnerOffers' ->> 'agreed' as offers, consents - 'partnerOffers' as rest from expert"
            )
            #expect(try answers?["offers", as: String.self] == "true" && answers?["rest", as: String.self] == "{}")
            // The other way round, and for ambassadors.
            _ = try await directory.expert("Agence Zoé") {
                $0.email = "zoe@box.example"
                $0.consents = .init(flashInfo: false)
            }
            let zoe = try await directory.takes(
                .ambassadors, "nom,prenom,email,flashInfo\nZ,Zoé,zoe@box.example,oui\n")
            #expect(zoe.created == 1 && zoe.notes?.map(\.column) == ["flashInfo"])
            // With its day it is accepted; those who have answered themselves keep their answers.
            try await directory.change(
                """
                update expert set consents = '{"flashInfo": {"agreed": false, "at": "2026-01-01T00:00:00.000000Z"}}'
                where name = 'Agence Zoé'
                """)
            let columns = "nom,prenom,email,flashInfo,consentDate,consentSource"
            let dated = "\(columns)\nZ,Zoé,zoe@box.example,oui,\(Day.today),Fiche\n"
            #expect(try await directory.takes(.ambassadors, dated).notes == nil)
            #expect(try await directory.person(ida.id).consents == ida.consents)
        }
    }

    @Test("two firms with one mailbox are shown by their own answers, but mailed only if both consent")
    func firms() async throws {
        try await withDirectory { directory in
            let file = """
                name,type,email,postalCode,commune,flashInfo,annuaire
                Agence de Pau,agence,reseau@box.example,64000,Pau,non,non
                Agence de Dax,agence,reseau@box.example,40100,Dax,oui,oui

                """
            let report = try await directory.takes(.experts, file)
            #expect(
                report.created == 2 && report.notes?.map(\.row) == [2] && report.notes?.map(\.column) == ["flashInfo"])
        }
    }

    @Test("when only gaps are filled a withdrawal still counts; the report gives the true reason for what was left out")
    func filled() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Atelier") {
                $0.email = "a@a.example"
                $0.consents = .init(flashInfo: true, eventInvitations: false)
            }
            let header = "name,type,email,postalCode,commune,flashInfo,eventInvitations"
            let row = "Atelier,agence,a@a.example,64000,Pau"
            func send(_ answers: String, _ existing: String, _ columns: String = "") async throws -> ImportReport {
                try await directory.takes(.experts, "\(header)\(columns)\n\(row),\(answers)\n", "existing=\(existing)")
            }
            let skipped = try await send("non,non", "skip")
            #expect(skipped.skipped == 1 && skipped.notes?.map(\.column) == ["flashInfo"])
            #expect(skipped.notes?.first?.detail.contains("existing=skip") == true)
            #expect(try await directory.expert(expert.id).version == 1)

            let dated = try await send(
                "oui,oui,\(Day.today.adding(days: -1)),Fiche", "fill", ",consentDate,consentSource")
            #expect(dated.notes?.map(\.column) == ["eventInvitations"])
            #expect(dated.notes?.first?.detail.contains("existing=fill") == true)
            let undated = try await send("oui,oui", "fill")
            #expect(undated.notes?.first?.detail.contains("does not say that this is newer") == true)

            let withdrawn = try await send("non,oui", "fill")
            #expect(withdrawn.updated == 1 && withdrawn.notes?.map(\.column) == ["eventInvitations"])
            let now = try await directory.expert(expert.id).consents
            #expect(now.flashInfo?.agreed == false && now.eventInvitations?.agreed == false)
            // A new record gets what is allowed, whatever existing ones say, and the rest is reported.
            let new = "\(header)\nAutre,agence,a@a.example,40100,Dax,oui,oui\n"
            for existing in ["skip", "fill"] {
                let dry = try await directory.raw(
                    .post, "/v1/imports/experts?existing=\(existing)", role: .operator,
                    headers: ["Content-Type": "text/csv"], body: Array(new.utf8)
                ).decode(ImportReport.self)
                #expect(dry.created == 1 && dry.notes?.map(\.column) == ["eventInvitations", "flashInfo"])
                #expect(dry.notes?.first?.detail.contains("does not say that this is newer") == true)
            }
        }
    }

    @Test("a hidden organization is not shown under another name, and filling gaps may hide one")
    func organizations() async throws {
        try await withDirectory { directory in
            let house = try await directory.client(.operator).send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "Maison", postalCode: "64000", commune: "Pau",
                        email: "maison@box.example")))
            let hidden = #"{"publicDirectory":false,"email":"autre@box.example"}"#
            #expect(
                try await directory.ask(.patch, "/v1/organizations/\(house.id)", ifMatch: 1, json: hidden).status == 200
            )
            let columns = "nom,email,postalCode,commune,annuaire"
            let file = "\(columns)\nFoyer,maison@box.example,64000,Pau,oui\nAutre,maison@box.example,40100,Dax,oui\n"
            let report = try await directory.takes(.organizations, file, "kind=institution")
            #expect(report.created == 2 && report.notes?.map(\.row) == [1])
            let shown = try await directory.backend.database.query(
                "select name from organization where public_directory order by name")
            #expect(try shown.map { try $0["name", as: String.self] } == ["Autre"])
            let filled = try await directory.takes(
                .organizations, "nom,postalCode,commune,annuaire\nAutre,40100,Dax,non\n",
                "kind=institution&existing=fill")
            #expect(filled.updated == 1 && filled.notes == nil)
        }
    }
}
