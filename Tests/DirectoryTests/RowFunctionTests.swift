import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// What runs for every row that is written, of which an import writes thousands.
@Suite("functions of rows")
struct RowFunctionTests {
    /// SQL functions that are queries, each about a list of the record. Any other would be an expression, which is to be
    /// inlined or in PL/pgSQL: called as an SQL function, it starts the executor for each row.
    private static let queries: Set<String> = [
        "address_counts_from", "all_emails", "are_mailboxes", "further_emails", "further_telephones", "mailbox_emails",
    ]

    @Test(
        "writing a record starts the executor for no expression",
        arguments: [
            """
            insert into directory.expert (
                id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement,
                departements, topics, brands, website)
            values (gen_random_uuid(), 'webAgency', 'Atelier', '73282932000074', 'Zoé Ibarra', 'zoe@example.org',
                '0559000000', '64000', 'Pau', '64', '{64,40}', '{webSite,hosting}', '{HP,Élan}', 'https://zoe.example')
            """,
            """
            insert into directory.person (
                id, given_name, family_name, email, telephone, other_emails, other_telephones)
            values (gen_random_uuid(), 'Zoé', 'Ibarra', 'zoe@example.org', '0559000000', '{ibarra@example.org}',
                '{0612345678}')
            """,
            """
            insert into directory.organization (
                id, kind, name, siret, email, telephone, postal_code, commune, departement, website, topics, mailboxes)
            values (gen_random_uuid(), 'brand', 'Maison', '73282932000074', 'maison@example.org', '0559000000', '64000',
                'Pau', '64', 'https://maison.example', '{webSite}', '[{"role":"press","email":"press@example.org"}]')
            """,
        ])
    func expressions(insert: String) async throws {
        try await withDirectory { directory in
            let called = try await directory.database.withClient { client in
                try await client.transaction { transaction in
                    try await transaction.execute("set local track_functions = 'all'")
                    try await transaction.execute(SQL(stringLiteral: insert))
                    return try await transaction.query(
                        """
                        select funcname as name, lanname as language
                        from pg_stat_xact_user_functions join pg_proc on pg_proc.oid = funcid
                            join pg_language on pg_language.oid = prolang
                        where calls > 0
                        """
                    ).map { (name: try $0["name", as: String.self], language: try $0["language", as: String.self]) }
                }
            }
            // Functions are counted, among them one that all three call.
            #expect(called.contains { $0.name == "contact_text" && $0.language == "plpgsql" })
            let expressions = called.filter { $0.language == "sql" && !Self.queries.contains($0.name) }
            #expect(expressions.map(\.name) == [])
        }
    }

    @Test(
        "lists are kept in their order, each element once, and what is missing is missing",
        arguments: [
            ("each_once('{b,a,b,NULL,a,NULL}')", "{b,a,NULL}"), ("each_once('{a}')", "{a}"), ("each_once('{}')", "{}"),
            ("each_once(null)", nil), ("folded_all('{Élan,NULL,HP}')", "{elan,NULL,hp}"), ("folded_all('{}')", "{}"),
            ("payer_key('SARL  L''Élan')", "l elan"), ("payer_key(null)", nil),
            ("website_host('HTTPS://www.Zoe.example/x?y')", "zoe.example"), ("website_host(null)", nil),
            ("is_siret('73282932000074')", "true"), ("is_siret('73282932000075')", "false"),
            ("is_siret('732829320000')", "false"),
            // A branch of La Poste: the sum of its digits counts.
            ("is_siret('35600000010000')", "true"), ("is_siret('35600000010001')", "false"), ("is_siret(null)", nil),
            (
                "contact_text('{Zoe@example.org,NULL}', '{+33559000000,+442071838750,3949}')",
                "zoe@example.org\n+33559000000\n+442071838750\n3949\n0559000000"
            ),
            ("contact_text('{NULL}', '{NULL}')", ""), ("contact_text(null, null)", ""),
        ] as [(String, String?)])
    func values(call: String, value: String?) async throws {
        try await withDirectory { directory in
            let read = try await directory.database.withClient { client in
                let row = try await client.first(SQL(stringLiteral: "select directory.\(call)::text as value"))
                return try row?.optional("value", as: String.self)
            }
            #expect(read == value)
        }
    }

    @Test("a topic that is not known is refused, also as one of several")
    func topics() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Atelier")
            let refused = await #expect(throws: PostgresError.self) {
                try await directory.database.withClient { client in
                    try await client.execute(
                        "update directory.expert set topics = '{webSite,unknown}' where id = \(expert.id)")
                }
            }
            #expect(refused?.sqlState == SQLState.foreignKeyViolation)
        }
    }
}
