import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("what was kept before")
struct ValueMigrationTests {
    @Test(
        "telephones, names, départements and days of a directory that is there are mended, and what is right stays untouched"
    )
    func mended() async throws {
        let old = DirectoryApplication.allMigrations.filter { $0.id < "0028" || $0.id.hasPrefix("kit-") }
        let before = Migrator(schema: "directory", migrations: old, runtimeRole: "directory")
        try await withDatabase(migratedBy: [before]) { database in
            try await database.withClient(searchPath: "directory") { client in
                _ = try await client.execute(
                    """
                    insert into person (id, given_name, family_name, telephone) values
                        ('00000000-0000-7000-8000-000000000001', 'Ada', 'Zola', '+33559000000'),
                        ('00000000-0000-7000-8000-000000000002', ' Jean  Paul', E'Iba\\u200Bñez', '0692123456'),
                        ('00000000-0000-7000-8000-000000000003', E'\\u200B', 'Zola', '112345'),
                        ('00000000-0000-7000-8000-000000000004', 'Luc', 'Zola', '559000000')
                    """)
                _ = try await client.execute(
                    """
                    insert into expert (id, sub_kind, name, postal_code, commune, departement, departements, enrolled_on)
                    values ('00000000-0000-7000-8000-000000000005', 'webAgency', 'A', '97133', 'Gustavia', '971',
                            '{971,64}', '0206-11-28'),
                        ('00000000-0000-7000-8000-000000000006', 'webAgency', 'B', '20700', 'Ajaccio', '2B', '{2B}',
                            '2020-01-01'),
                        ('00000000-0000-7000-8000-000000000007', 'webAgency', 'C', '05110', 'Claret', '04', '{04}',
                            '2020-01-01')
                    """)
                _ = try await client.execute(
                    """
                    insert into organization (id, kind, name, postal_code, departement) values
                        ('00000000-0000-7000-8000-000000000008', 'brand', 'Monaco', '98000', null),
                        ('00000000-0000-7000-8000-000000000009', 'brand', 'Pau', '64000', null)
                    """)
            }
            let now = Migrator(
                schema: "directory", migrations: DirectoryApplication.allMigrations, runtimeRole: "directory")
            try await database.withClient(as: "migrator") { client in
                _ = try await client.withConnection { try await now.migrate($0) }
            }
            try await database.withClient(searchPath: "directory") { client in
                let people = try await client.query(
                    "select given_name || '|' || family_name || '|' || coalesce(telephone, '–') || '|' || version as text from person order by id"
                )
                #expect(
                    try people.map { try $0["text", as: String.self] } == [
                        "Ada|Zola|+33559000000|1", "Jean Paul|Ibañez|+262692123456|2", "(sans nom)|Zola|–|2",
                        "Luc|Zola|+33559000000|2",
                    ])
                let experts = try await client.query(
                    """
                    select departement || '|' || array_to_string(departements, ',') || '|'
                        || (enrolled_on > '2026-01-01')::text as text
                    from expert order by id
                    """)
                #expect(
                    try experts.map { try $0["text", as: String.self] } == [
                        "977|977,64|true", "2A|2A|false", "04|04|false",
                    ])
                let organizations = try await client.query(
                    "select coalesce(departement, '–') as departement from organization order by id")
                #expect(try organizations.map { try $0["departement", as: String.self] } == ["980", "–"])
            }
        }
    }
}
