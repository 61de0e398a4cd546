import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension TestService {
    /// Imports records of any kind.
    func takes(_ records: Import.Records, _ file: String, _ query: String = "") async throws -> ImportReport {
        try await raw(
            .post, "/v1/imports/\(records.rawValue)?mode=apply&\(query)", role: .operator,
            headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
        ).decode(ImportReport.self)
    }
}

@Suite("what a file may say about consent")
struct ImportConsentTests {
    private static let purposes = Purpose.allCases
    private static let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

    /// A person or an expert, by an address of its own.
    private struct Subject {
        var records: Import.Records
        var header: String
        var cells: String

        static let all = [
            Subject(records: .people, header: "nom,prenom,email", cells: "Été,Ada,ada@a.example"),
            Subject(records: .ambassadors, header: "nom,prenom,email", cells: "Été,Ada,ada@a.example"),
            Subject(
                records: .experts, header: "name,type,email,postalCode,commune",
                cells: "Atelier,agence,ada@a.example,64000,Pau"),
        ]

        func file(_ columns: String, _ answers: String) -> String { "\(header),\(columns)\n\(cells),\(answers)\n" }

        /// The table with the answers.
        var table: SQL { records == .experts ? "expert" : "person" }
        var path: String { records == .experts ? "experts" : "people" }
    }

    /// - Parameter other: a record whose answers are not read.
    private func answers(
        _ subject: Subject, in directory: TestService, but other: String? = nil
    ) async throws -> [String: Bool] {
        let row = try await directory.backend.database.first(
            """
            select coalesce((select jsonb_object_agg(key, value -> 'agreed') from jsonb_each(consents)), '{}') as answers
            from \(subject.table) where id::text is distinct from \(other)
            """)
        let text = try #require(try row?["answers", as: JSONText.self]).text
        return try JSONDecoder().decode([String: Bool].self, from: Data(text.utf8))
    }

    private func ledger(_ subject: Subject, in directory: TestService) async throws -> Int {
        try await directory.backend.database.first("select count(*) as lines from consent_entry")?["lines"] ?? 0
    }

    /// The existing answer; the file's; the answer that counts afterwards.
    private static let table: [(was: Bool?, says: Bool, counts: [Import.Existing: Bool?])] = [
        (nil, true, [.update: true, .fill: true, .skip: nil]),
        (nil, false, [.update: false, .fill: false, .skip: nil]),
        (true, true, [.update: true, .fill: true, .skip: true]),
        (true, false, [.update: false, .fill: false, .skip: true]),
        (false, true, [.update: false, .fill: false, .skip: false]),
        (false, false, [.update: false, .fill: false, .skip: false]),
    ]

    @Test(
        "a file fills missing answers and withdraws consent; it turns no refusal into consent, and reports the row",
        arguments: Import.Existing.allCases)
    func rule(existing: Import.Existing) async throws {
        for subject in Subject.all {
            try await withDirectory { directory in
                #expect(
                    try await directory.takes(subject.records, "\(subject.header)\n\(subject.cells)\n").created == 1)
                let id = try #require(try await directory.ask("/v1/\(subject.path)").items("id").first)
                for (place, (was, says, counts)) in Self.table.enumerated() {
                    // `LONG_TESTS=1` runs every purpose; a short run one per case, a different one each time.
                    let purposes = Self.isLong ? Self.purposes : [Self.purposes[place % Self.purposes.count]]
                    for purpose in purposes {
                        // As if only this had been answered before.
                        let answer: SQL = """
                            jsonb_build_object(\(purpose.rawValue)::text, jsonb_build_object(
                                'agreed', \(was)::boolean, 'at', '2026-01-01T00:00:00Z'))
                            """
                        let answered: SQL = was == nil ? "'{}'" : answer
                        try await directory.change("update \(subject.table) set consents = \(answered)")
                        let file = subject.file(purpose.rawValue, says ? "oui" : "non")
                        let before = try await ledger(subject, in: directory)
                        let dry = try await directory.takes(
                            subject.records, file, "existing=\(existing.rawValue)&rejects=refuseFile")
                        let after = try await answers(subject, in: directory)
                        let expected = counts[existing] ?? nil
                        let comment: Comment =
                            "\(id): \(subject.records), \(purpose), \(String(describing: was)) and \(says), \(existing)"
                        #expect(
                            after[purpose.rawValue] == expected && after.count == (expected == nil ? 0 : 1), comment)
                        let isLeftOut = was != nil && expected != says
                        #expect((dry.notes ?? []).map(\.row) == (isLeftOut ? [1] : []), comment)
                        #expect((dry.notes ?? []).map(\.column) == (isLeftOut ? [purpose.rawValue] : []), comment)
                        #expect(dry.errors == [] && dry.rejected == 0, comment)
                        #expect(try await ledger(subject, in: directory) == before + (expected == was ? 0 : 1), comment)
                        let rows = try await directory.client(.operator).send(
                            ListImportRows.request(path: dry.import, query: .init(), body: Empty()))
                        #expect((rows.items[0].notes != nil) == isLeftOut, comment)
                    }
                }
            }
        }
    }

    @Test("an export older than a withdrawal does not undo it, and an organization stays hidden")
    func export() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await directory.person(
                "Ada", "Été", email: "ada@a.example", consents: .init(flashInfo: true, eventInvitations: true))
            let expert = try await directory.expert("Atelier") { $0.consents = .init(publicDirectory: true) }
            let house = try await directory.organization("Maison")
            var tables: [(Import.Records, String)] = []
            for records in [Import.Records.people, .experts, .organizations] {
                tables.append((records, try await directory.ask("/v1/\(records.rawValue).csv").text))
            }
            _ = try await directory.ask(
                .patch, "/v1/people/\(person.id)", ifMatch: 1, json: #"{"consents":{"flashInfo":false}}"#)
            _ = try await directory.ask(
                .patch, "/v1/experts/\(expert.id)", ifMatch: 1, json: #"{"consents":{"publicDirectory":false}}"#)
            _ = try await directory.ask(
                .patch, "/v1/organizations/\(house.id)", ifMatch: 1, json: #"{"publicDirectory":false}"#)
            for existing in Import.Existing.allCases {
                for (records, table) in tables {
                    let report = try await directory.takes(records, table, "existing=\(existing.rawValue)")
                    #expect((report.skipped, report.updated) == (1, 0) && report.notes?.count == 1)
                }
            }
            let now = try await operating.send(GetPerson.request(path: person.id))
            #expect(now.consents.flashInfo?.agreed == false && now.consents.eventInvitations?.agreed == true)
            #expect(now.version == 2)
            let hidden = try await operating.send(GetExpert.request(path: expert.id))
            #expect(hidden.consents.publicDirectory?.agreed == false)
            let declined = try await operating.send(GetOrganization.request(path: house.id))
            #expect(!declined.publicDirectory && declined.version == 2)
            // Conversely, a file is enough to hide.
            let file = "nom,annuaire\nMaison,non\nNeuve,non\n"
            _ = try await directory.ask(
                .patch, "/v1/organizations/\(house.id)", ifMatch: 2, json: #"{"publicDirectory":true}"#)
            let taken = try await directory.takes(.organizations, file, "kind=institution")
            #expect((taken.created, taken.updated) == (1, 1) && taken.notes == nil)
        }
    }

    @Test("a newer consent gives its day and provenance, and the ledger keeps both answers")
    func dated() async throws {
        for subject in Subject.all {
            try await withDirectory { directory in
                _ = try await directory.takes(subject.records, "\(subject.header)\n\(subject.cells)\n")
                func answer(_ agreed: Bool, at: String) async throws {
                    try await directory.change(
                        """
                        update \(subject.table) set consents = jsonb_build_object(
                            'flashInfo', jsonb_build_object('agreed', \(agreed)::boolean, 'at', \(at)::text))
                        """)
                }
                let columns = "Flash info,Date consentement,Source consentement"
                func send(_ answers: String) async throws -> ImportReport {
                    try await directory.takes(subject.records, subject.file(columns, answers))
                }
                // An answer given that evening is not older than the day.
                try await answer(false, at: "2026-03-14T20:00:00.000000Z")
                for day in ["2026-03-13", "14/3/2026"] {
                    let older = try await send("oui,\(day),Salon de Pau")
                    #expect(older.skipped == 1 && older.notes?.count == 1 && older.errors == [])
                }
                let newer = try await send("oui,15/03/2026,Salon de Pau")
                #expect(newer.updated == 1 && newer.notes == nil)
                #expect(try await answers(subject, in: directory) == ["flashInfo": true])
                let line = try await directory.backend.database.first(
                    """
                    select source, origin, at = '2026-03-15T00:00:00+01' as on_time from consent_entry
                    order by number desc limit 1
                    """)
                #expect(try line?["source", as: String.self] == "import")
                #expect(try line?["origin", as: String.self] == "Salon de Pau")
                #expect(try line?["on_time", as: Bool.self] == true)
                let id = try #require(try await directory.ask("/v1/\(subject.path)").items("id").first)
                let entries = try await directory.ask("/v1/\(subject.path)/\(id)/consents")
                #expect(try entries.items("origin").first == "Salon de Pau")
                // Repeating it adds nothing.
                #expect(try await send("oui,15/03/2026,Salon de Pau").skipped == 1)
                // A refusal counts until the end of its day, and one older than the consent does not count.
                #expect(try await send("non,2026-03-14,Lettre").notes?.count == 1)
                #expect(try await send("non,2026-03-15,Lettre").updated == 1)
                #expect(try await send("non,2026-03-15,Lettre").skipped == 1)

                let bad = try await send("oui,\(Day.today.adding(days: 1)),Salon")
                #expect(bad.errors.map(\.detail) == ["is in the future"])
                #expect(try await send("oui,2026-11-28,").rejected == 1)
                #expect(try await send("oui,0206-11-28,Salon").rejected == 1)
            }
        }
    }

    @Test("after an erasure or unsubscription a file gives no consent, unless that is newer and dated")
    func declined() async throws {
        for subject in Subject.all {
            try await withDirectory { directory in
                let operating = try directory.client(.operator)
                let file = subject.file("flashInfo,eventInvitations,partnerOffers", "oui,oui,non")
                #expect(try await directory.takes(subject.records, file).notes == nil)
                let id = try #require(try await directory.ask("/v1/\(subject.path)").items("id").first)
                let body =
                    try subject.records == .experts
                    ? CreateErasure.Body(expert: .init(validating: id), reason: .request)
                    : CreateErasure.Body(person: .init(validating: id), reason: .request)
                _ = try await operating.send(CreateErasure.request(body: body))
                #expect(try await directory.ask("/v1/\(subject.path)").items("id") == [])
                let text = try await directory.backend.database.first(
                    "select declined_address::text from declined_address")
                #expect(try text?["declined_address", as: String.self].contains("a.example") == false)

                let dry = try await directory.raw(
                    .post, "/v1/imports/\(subject.records.rawValue)", role: .operator,
                    headers: ["Content-Type": "text/csv"], body: Array(file.uppercased().utf8)
                ).decode(ImportReport.self)
                #expect(dry.created == 1 && dry.notes?.map(\.column) == ["EVENTINVITATIONS", "FLASHINFO"])
                let back = try await directory.takes(subject.records, file)
                #expect(back.created == 1 && back.notes?.map(\.column) == ["eventInvitations", "flashInfo"])
                #expect(try await answers(subject, in: directory) == ["partnerOffers": false])
                #expect(try await directory.takes(subject.records, file).notes?.count == 2)
                #expect(try await answers(subject, in: directory) == ["partnerOffers": false])

                try await directory.change("update declined_address set declined_at = '2026-03-14T20:00:00Z'")
                let dated = subject.file(
                    "flashInfo,eventInvitations,consentDate,consentSource", "oui,non,2026-03-15,Fiche signée")
                #expect(try await directory.takes(subject.records, dated).notes == nil)
                #expect(
                    try await answers(subject, in: directory) == [
                        "partnerOffers": false, "flashInfo": true, "eventInvitations": false,
                    ])
            }
        }
    }

    @Test(
        "if others share the address, their own answers stay, and a returning person has declined"
    )
    func declinedAtShared() async throws {
        for subject in Subject.all {
            try await withDirectory { directory in
                let operating = try directory.client(.operator)
                _ = try await operating.send(
                    CreateOrganization.request(
                        body: .init(kind: .institution, name: "Maison", email: "Ada@a.example")))
                let file = subject.file("flashInfo", "oui")
                #expect(try await directory.takes(subject.records, file).notes == nil)
                let id = try #require(try await directory.ask("/v1/\(subject.path)").items("id").first)
                let isExpert = subject.records == .experts
                let (person, expert): (Person?, Expert?) =
                    isExpert
                    ? (
                        try await directory.person(
                            "Bob", "Zola", email: "ada@a.example", consents: .init(flashInfo: true)), nil
                    )
                    : (
                        nil,
                        try await directory.expert("Cabinet Zola") {
                            $0.email = "ada@a.example"
                            $0.consents = .init(flashInfo: true)
                        }
                    )
                _ = try await operating.send(
                    CreateErasure.request(
                        body: isExpert
                            ? .init(expert: try .init(validating: id), reason: .request)
                            : .init(person: try .init(validating: id), reason: .request)))
                let back = try await directory.takes(subject.records, file)
                #expect(back.created == 1 && back.notes?.map(\.column) == ["flashInfo"], "\(subject.records)")
                #expect(try await answers(subject, in: directory, but: person?.id.text ?? expert?.id.text) == [:])
                if let person {
                    #expect(try await directory.person(person.id).consents == person.consents)
                }
                if let expert {
                    let now = try await operating.send(GetExpert.request(path: expert.id))
                    #expect(now.consents == expert.consents)
                }
            }
        }
    }

    @Test("an address that unsubscribed by its link declines for its next owner, and for nothing else")
    func unsubscribed() async throws {
        try await withDirectory { directory in
            try await directory.backend.database.transaction { transaction in
                try await DeclinedAddresses.add(
                    ["Ada@a.example"], [.flashInfo], at: .now.advanced(by: .seconds(-60)), in: transaction)
            }
            let file =
                "nom,prenom,email,flashInfo,eventInvitations\nÉté,Ada,ADA@a.example,oui,oui\nZola,Bob,b@a.example,oui,oui\n"
            let report = try await directory.takes(.people, file)
            #expect(report.created == 2)
            #expect(report.notes?.map(\.row) == [1] && report.notes?.map(\.column) == ["flashInfo"])
            let people = try await directory.client(.operator).send(ListPeople.request(query: .init())).items
            #expect(people[0].consents.flashInfo == nil && people[0].consents.eventInvitations?.agreed == true)
            #expect(people[1].consents.flashInfo?.agreed == true)
        }
    }

    @Test(
        "the refusals of an address with many owners are looked up by one statement, not one function call per owner",
        arguments: [Import.Records.experts, .organizations])
    func crowd(records: Import.Records) async throws {
        try await withDirectory { directory in
            let holders = 200
            let function: SQL = records == .experts ? "directory.declined_at" : "directory.hidden_at"
            let kind = records == .experts ? "agence" : "cma"
            let header = "name,subKind,email,postalCode,commune,publicDirectory\n"
            let rows = (0..<holders).map { "Atelier \($0),\(kind),accueil@reseau.example,64000,Pau,non\n" }.joined()
            #expect(try await directory.takes(records, header + rows).created == holders)
            // Records that call a function: it finds the survivor of a merged record.
            _ = try await directory.change(
                """
                insert into merge (id, kind, survivor, merged, fields, touched, mentioned, merged_by, before, after, steps)
                select gen_random_uuid(), kind, min(record::text)::uuid, max(record::text)::uuid, '{}', '{}', '{}', 'test',
                    '{}', '{}', '[]'
                from address_held group by kind
                """)
            let plan = try await directory.backend.database.query(
                """
                explain (analyze, timing off, costs off, summary off)
                select * from \(function)(array['accueil@reseau.example'])
                """
            ).map { try $0["QUERY PLAN", as: String.self] }
            let found = try #require(plan.first?.firstMatch(of: /actual rows=(\d+)/)?.1)
            #expect(Int(found) == holders + 1, "\(plan)")
            let calls = plan.filter {
                $0.contains("Function Scan") && !$0.contains("jsonb_each") && !$0.contains("never")
            }
            #expect(calls.allSatisfy { $0.contains("loops=1)") } && calls.count == 1, "\(plan)")
        }
    }

    @Test(
        "a withdrawal during an import is not undone by it, but would be without the guard",
        arguments: [Import.Records.people, .experts], [true, false])
    func race(records: Import.Records, isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let subject = try #require(Subject.all.first { $0.records == records })
            _ = try await directory.takes(records, subject.file("flashInfo", "oui"))
            let file = subject.file("telephone,flashInfo", "0559000000,oui")
            let table = subject.table
            let sending = try await directory.database.withClient(searchPath: "directory") { blocker in
                try await blocker.transaction { transaction in
                    try await transaction.execute(
                        """
                        update \(table) set version = version + 1, consents =
                            '{"flashInfo": {"agreed": false, "at": "2026-11-01T00:00:00.000000Z"}}'
                        """)
                    let sending = Task { () -> ImportReport? in
                        guard isGuarded else {
                            // The record's answers as of the beginning of the statement.
                            try await directory.change(
                                """
                                update \(table) set version = version + 1, consents = directory.with_imported_consents(
                                    said.consents, '{"flashInfo": true}', null, null, false)
                                from (select id, consents from \(table)) as said where \(table).id = said.id
                                """)
                            return nil
                        }
                        return try await directory.takes(records, file)
                    }
                    // Until it waits for the row.
                    for _ in 1...600 {
                        let waiting = try await transaction.first(
                            """
                            select exists (
                                select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))) as waiting
                            """
                        )
                        if try waiting?["waiting", as: Bool.self] == true { break }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    return sending
                }
            }
            let report = try await sending.value
            #expect(report?.updated == (isGuarded ? 1 : nil) && report?.notes?.map(\.row) == (isGuarded ? [1] : nil))
            #expect(try await answers(subject, in: directory) == ["flashInfo": !isGuarded])
        }
    }
}
