import ClubProtocol
import Postgres
import Testing

@testable import ServiceKit

@Suite("what ServiceKit keeps about people") struct PersonalDataCopiesTests {
    @Test("stored responses that name a person become 410, jobs about them are deleted, and no one else's are")
    func erase() async throws {
        try await withServiceDatabase { kit in
            let (gone, stays) = (DataSubject.ID(), DataSubject.ID())
            let answers = [
                (#"{"id":"\#(gone)","givenName":"Zoé"}"#, "createPerson"),
                (#"{"email":"ZOE@example.org"}"#, "suppress"),
                (#"{"id":"\#(stays)"}"#, "createPerson"), (#"{"subject":"\#(gone)"}"#, "createErasure"),
            ]
            for (index, (body, operation)) in answers.enumerated() {
                try await kit.client.execute(
                    """
                    insert into idempotency (subject, operation, key, request_hash, status, headers, body)
                    values ('test', \(operation), \("k\(index)"), sha256('x'), 201, '{}', \(Array(body.utf8)))
                    """)
            }
            let kind = JobKind<[String: String]>("letter")
            let queue = JobQueue(database: kit.client)
            for person in [gone, stays] {
                try await queue.enqueue(kind, ["person": person.text], in: kit.client)
                try await queue.enqueue(ErasureWork.kind, .init(erasure: .init(person.uuid)), in: kit.client)
            }
            for _ in 1...2 {
                try await kit.client.transaction { transaction in
                    try await PersonalDataCopies.erase(
                        [gone], addresses: [.init(email: "Zoe@example.org")], repeatable: [CreateErasure.self],
                        in: transaction)
                }
            }
            let stored: [Int] = try await kit.client.query("select status from idempotency order by key").map {
                try $0["status"]
            }
            #expect(stored == [410, 410, 201, 201])
            let kept = try await kit.client.query(
                "select convert_from(body, 'UTF8') as body from idempotency where status = 410")
            for row in kept {
                let body: String = try row["body"]
                #expect(body.contains("urn:club:problem:erased") && !body.contains("Zo"))
            }
            let jobs: [String] = try await kit.client.query("select kind from job order by kind").map { try $0["kind"] }
            #expect(jobs == ["erasure", "erasure", "letter"])
        }
    }

    @Test("only whole words count: Diana's responses and jobs stay when Ana goes; a name alone deletes no job")
    func whole() async throws {
        try await withServiceDatabase { kit in
            let bodies = [
                #"{"email":"ana@club.fr"}"#, #"{"email":"diana@club.fr"}"#, #"{"email":"ana@club.fr.example"}"#,
                "{\"text\":\"Écrire à «ana@club.fr».\"}", #"{"telephone":"+33698765431"}"#, #"{"name":"Zoé Ibañez"}"#,
                #"{"name":"Zoé Ibañezou"}"#,
            ]
            for (index, body) in bodies.enumerated() {
                try await kit.client.execute(
                    """
                    insert into idempotency (subject, operation, key, request_hash, status, headers, body)
                    values ('test', 'createPerson', \("k\(index)"), sha256('x'), 201, '{}', \(Array(body.utf8)))
                    """)
            }
            let kind = JobKind<[String: String]>("letter")
            let queue = JobQueue(database: kit.client)
            for email in ["ana@club.fr", "diana@club.fr", "Zoé Ibañez"] {
                try await queue.enqueue(kind, ["to": email], in: kit.client)
            }
            try await kit.client.transaction { transaction in
                try await PersonalDataCopies.erase(
                    [], addresses: [.init(email: "Ana@club.fr")], telephones: ["+33698765431"], names: ["Zoé Ibañez"],
                    in: transaction)
            }
            let stored: [Int] = try await kit.client.query("select status from idempotency order by key").map {
                try $0["status"]
            }
            #expect(stored == [410, 201, 201, 410, 410, 410, 201])
            let left: [String] = try await kit.client.query("select payload ->> 'to' as email from job order by id").map
            {
                try $0["email"]
            }
            #expect(left == ["diana@club.fr", "Zoé Ibañez"])
        }
    }

    @Test("an address counts only in what was written while it was the subject's")
    func periods() async throws {
        try await withServiceDatabase { kit in
            let noon: Timestamp = try Timestamp(validating: "2026-03-01T12:00:00Z")
            let times = [-2, 0, 1, 2, 3].map { noon.advanced(by: .seconds($0 * 3600)) }
            for (index, time) in times.enumerated() {
                try await kit.client.execute(
                    """
                    insert into idempotency (subject, operation, key, request_hash, status, headers, body, created_at)
                    values (
                        'test', 'createPerson', \("k\(index)"), sha256('x'), 201, '{}',
                        \(Array(#"{"email":"ana@club.fr"}"#.utf8)), \(time))
                    """)
                try await kit.client.execute(
                    """
                    insert into job (kind, payload, maximum_attempts, created_at)
                    values ('letter', jsonb_build_object('to', 'ana@club.fr', 'number', \(index)::integer), 1, \(time))
                    """)
            }
            try await kit.client.transaction { transaction in
                try await PersonalDataCopies.erase(
                    [], addresses: [.init(email: "ana@club.fr", since: noon, until: times[3])], in: transaction)
            }
            let stored: [Int] = try await kit.client.query("select status from idempotency order by key").map {
                try $0["status"]
            }
            #expect(stored == [201, 410, 410, 201, 201])
            let left: [String] = try await kit.client.query(
                "select payload ->> 'number' as number from job order by id"
            )
            .map { try $0["number"] }
            #expect(left == ["0", "3", "4"])
        }
    }

    @Test("the audit trail names a person by their identifier, whatever their token says")
    func actor() {
        let (person, expert) = (Person.ID(), Organization.ID())
        #expect(Principal(subject: "ana@example.org", role: .ambassador, person: person).actor == "person/\(person)")
        #expect(Principal(subject: "ana", role: .expert, organization: expert).actor == "expert/\(expert)")
        #expect(Principal(subject: "marie", role: .operator).actor == "marie")
        #expect(Principal.anonymous.actor == "anonymous")
    }
}
