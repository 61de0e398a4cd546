import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The cells of a row about a place, and what is stored of them.
private struct WrittenAs: CustomTestStringConvertible, Sendable {
    let postalCode: String
    let country: String
    let departement: String
    let kept: PostalCode?
    let lies: Departement?
    /// The columns of which something was left out.
    let noted: [String]

    var testDescription: String { "\(postalCode);\(country);\(departement)" }

    init(
        _ postalCode: String, _ country: String, _ departement: String, _ kept: PostalCode?, _ lies: Departement?,
        _ noted: String...
    ) {
        self.postalCode = postalCode
        self.country = country
        self.departement = departement
        self.kept = kept
        self.lies = lies
        self.noted = noted
    }

    static let all: [WrittenAs] = [
        .init("1050", "Belgium", "", "BE-1050", "990"), .init("1050", "BE", "64", "BE-1050", "990"),
        .init("1201", "Suisse", "", "CH-1201", "990"), .init("10115", "Allemagne", "", "DE-10115", "990"),
        .init("10115.0", "DEU", "Brandebourg", "DE-10115", "990", "Dép."),
        .init("1067", "Germany", "", "DE-01067", "990"), .init("10115", "", "990", nil, "990", "Postal Code"),
        .init("10115", "", "Étranger", nil, "990", "Postal Code"),
        .init("sw1a 1aa", "Royaume-Uni", "", "GB-SW1A 1AA", "990"),
        .init("SW1A 1AA", "England", "", "GB-SW1A 1AA", "990"),
        .init("1012 AB", "Pays-Bas", "", "NL-1012 AB", "990"),
        .init("1100-148", "PORTUGAL", "", "PT-1100-148", "990"),
        .init("L-1009", "Luxembourg", "", "LU-1009", "990"),
        .init("(vide)", "Bolivie", "", nil, "990", "Postal Code"),
        .init("SW1A 1AA", "", "", nil, nil, "Postal Code"), .init("1012 AB", "", "", nil, nil, "Postal Code"),
        .init("1100-148", "", "64", nil, "64", "Postal Code"), .init("B-1050", "", "", "BE-1050", "990"),
        .init("B 1050", "", "", "BE-1050", "990"), .init("CH 1201", "", "99", "CH-1201", "990"),
        .init("64010 CEDEX", "", "", "64010", "64"), .init("64010 Cedex 9", "France", "", "64010", "64"),
        .init("64010CEDEX", "", "064", "64010", "64"), .init("F 64000", "", "", "64000", "64"),
        .init("64 000", "FRANCE MÉTROPOLITAINE", "Pyrénées-Atlantiques", "64000", "64"),
        .init("1000", "France", "", "01000", "01"), .init("1000", "", "", "01000", "01"),
        .init("64000", "Atlantide", "", nil, nil, "Country", "Postal Code"),
        .init("BE-1050", "Atlantide", "", "BE-1050", "990", "Country"), .init("", "Germany", "", nil, "990"),
        .init("", "La Réunion", "", nil, "974"), .init("97400", "Reunion", "", "97400", "974"),
        .init("98000", "Monaco", "", "98000", "980"), .init("", "France", "", nil, nil),
        .init("20000", "", "20", "20000", "2A"), .init("20200", "", "Corse", "20200", "2B"),
        .init("", "", "20", nil, nil, "Dép."), .init("", "", "99", nil, "990"), .init("", "", "Gironde", nil, "33"),
        .init("", "", "GIRONDE (33)", nil, "33"), .init("", "", "33 - Gironde", nil, "33"),
        .init("", "", "064", nil, "64"), .init("", "", "1", nil, "01"), .init("", "", "Corse du Sud (2A)", nil, "2A"),
        .init("", "", "côtes d’armor", nil, "22"), .init("5110", "", "Alpes de Haute-Provence", "05110", "04"),
        .init("", "", "Nulle part", nil, nil, "Dép."), .init("6400", "", "0640", "06400", "06", "Dép."),
    ]
}

@Suite("places of imported records")
struct ImportPlaceTests {
    private static let header = "Nom;Sous-type;Postal Code;City;Country;Dép.\n"

    private func report(
        _ file: String, _ records: String = "organizations", _ query: String = "", in directory: TestService
    ) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/\(records)?mode=apply\(query)", role: .operator, headers: ["Content-Type": "text/csv"],
            body: Array(file.utf8)
        ).decode(ImportReport.self)
    }

    private func organizations(in directory: TestService) async throws -> [String: Organization] {
        let all = try await directory.client(.operator).send(
            ListOrganizations.request(query: .init(limit: 200))
        ).items
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name.text, $0) })
    }

    @Test("no row is refused because of its place: unreadable parts are left out and reported")
    func places() async throws {
        try await withDirectory { directory in
            let file =
                Self.header
                + WrittenAs.all.enumerated().map { number, place in
                    "R\(number);cma;\(place.postalCode);Là;\(place.country);\(place.departement)\n"
                }.joined()
            let taken = try await report(file, in: directory)
            #expect(taken.errors == [] && taken.created == WrittenAs.all.count)
            let notes = Dictionary(grouping: taken.notes ?? [], by: \.row)
            let found = try await organizations(in: directory)
            for (number, place) in WrittenAs.all.enumerated() {
                let comment: Comment = "\(place.testDescription)"
                let record = try #require(found["R\(number)"])
                #expect(record.postalCode == place.kept && record.departement == place.lies, comment)
                #expect(Set(notes[number + 1, default: []].map(\.column)) == Set(place.noted.map { $0 }), comment)
            }
            // Imported again, also as exported: nothing changes.
            let again = try await report(file, in: directory)
            #expect(again.skipped == WrittenAs.all.count && again.notes == taken.notes)
            let table = try await directory.ask("/v1/organizations.csv?excel=true")
            let back = try await directory.raw(
                .post, "/v1/imports/organizations?mode=apply", role: .operator, headers: ["Content-Type": "text/csv"],
                body: table.body
            ).decode(ImportReport.self)
            #expect(back.errors == [] && back.skipped == WrittenAs.all.count && back.notes == nil)
        }
    }

    @Test("a row that waits for its head keeps the notes about what was left out")
    func held() async throws {
        try await withDirectory { directory in
            let taken = try await report(
                "Nom;Sous-type;SIRET;CP;Ville;Tête de réseau\nAntenne;cma;;SW1A 1AA;Londres;73282932000074\n"
                    + "Tête;cma;73282932000074;64000;Pau;\n", in: directory)
            #expect(taken.created == 2 && taken.errors == [])
            #expect(taken.notes?.map(\.row) == [1] && taken.notes?.map(\.column) == ["CP"])
            #expect(
                taken.notes?.first?.detail
                    == "is not a valid postal code (5 digits, or BE-1050 for another country): it was left out")
        }
    }

    @Test("an expert in a country without postal codes is matched by name and town, and may move")
    func expertsAbroad() async throws {
        try await withDirectory { directory in
            let header = "Nom;Type;Code postal;Ville;Pays;Département;Téléphone\n"
            let kowloon = "Lotus;agence;;Kowloon;Hong Kong;;\n"
            let taken = try await report(
                header + kowloon + "Lotus;agence;(vide);Dubai;AE;;\nLotus;agence;;Pau;;64;\n", "experts",
                "&rejects=skipRow",
                in: directory)
            #expect(taken.created == 2 && taken.errors.map(\.row) == [3])
            #expect(taken.errors.first?.column == "Code postal")
            let again = try await report(
                header + kowloon.replacing(";;\n", with: ";;+85221234567\n"), "experts", in: directory)
            #expect(again.updated == 1 && again.created == 0)
            let all = try await directory.client(.operator).send(ListExperts.request(query: .init())).items
            #expect(all.map(\.commune).sorted { $0.text < $1.text } == ["Dubai", "Kowloon"])
            #expect(all.allSatisfy { $0.postalCode == nil && $0.departement == "990" && $0.departements == ["990"] })
            let table = try await directory.raw(
                .get, "/v1/experts.csv", role: .operator
            ).body
            let back = try await report(String(decoding: table, as: UTF8.self), "experts", in: directory)
            #expect(back.errors == [] && back.skipped == 2)
            // Without a postal code it stays abroad; no French postal code fills its gaps; with one, it moves.
            let id = try #require(all.first { $0.commune == "Kowloon" }).id
            func kept(_ cells: String, _ query: String) async throws -> Expert {
                _ = try await report("id;Code postal;Département\n\(id);\(cells)\n", "experts", query, in: directory)
                return try await directory.client(.operator).send(GetExpert.request(path: id))
            }
            #expect(try await kept(";64", "").departement == "990")
            #expect(try await kept("64000;", "&existing=fill").postalCode == nil)
            let moved = try await kept("64000;", "")
            #expect(moved.postalCode == "64000" && moved.departement == "64")
        }
    }

    @Test("an expert requires a postal code: a new one without it is rejected, an existing one keeps its own")
    func experts() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Là") { $0.email = "la@a.example" }
            let file =
                "Nom;Type;Email;Code postal;Ville;Pays;Départements servis\nLà;agence;la@a.example;SW1A 1AA;Pau;;\n"
                + "Ailleurs;agence;;SW1A 1AA;Londres;;\nLondres;agence;;SW1A 1AA;Londres;GB;\n"
                + "Corse;agence;;20000;Ajaccio;;Corse, Gironde / 40\nNulle part;agence;;64000;Pau;;\"Gironde, Là\"\n"
            let taken = try await report(file, "experts", "&rejects=skipRow", in: directory)
            #expect(taken.created == 2 && taken.errors.map(\.row) == [2, 5] && taken.notes?.map(\.row) == [1])
            #expect(taken.errors.map(\.column) == ["Code postal", "Départements servis"])
            #expect(
                taken.errors.map(\.detail) == [
                    "is not a valid postal code (5 digits, or BE-1050 for another country): a new expert needs it.",
                    "names an unknown département",
                ])
            let all = try await directory.client(.operator).send(ListExperts.request(query: .init())).items
            #expect(all.map(\.name) == ["Corse", "Là", "Londres"])
            #expect(all.map(\.postalCode) == ["20000", "64000", "GB-SW1A 1AA"])
            #expect(all[0].departements == ["2A", "2B", "33", "40"] && all[2].departement == "990")
        }
    }

    @Test("ambassadors' départements are recognized by their names, too")
    func ambassadors() async throws {
        try await withDirectory { directory in
            let taken = try await report(
                "Nom;Prénom;Départements\nÉté;Ada;Landes / 064, 20\n", "ambassadors", in: directory)
            #expect(taken.created == 1)
            let all = try await directory.client(.operator).send(ListAmbassadors.request(query: .init())).items
            #expect(all.first?.departements == ["40", "64", "2A", "2B"])
        }
    }

    @Test("a table with a country column is not the club's: its identifiers may be another system's")
    func foreign() async throws {
        try await withDirectory { directory in
            let taken = try await report(
                "id;Nom;Sous-type;Country\n4fbe8971-0bc3-424c-9c26-36c3e1eff6b1;Là;cma;-\n", in: directory)
            #expect(taken.created == 1 && taken.errors == [] && taken.notes == nil)
        }
    }

    @Test("every country has one code, found by both codes and by its French and English names")
    func countries() throws {
        for (names, code) in [
            (["BE", "be", "BEL", "Belgique", "BELGIUM", "B"], "BE"), (["Russian Federation", "Russie"], "RU"),
            (["Côte d’Ivoire", "Ivory Coast", "CI"], "CI"), (["USA", "États-Unis", "United States of America"], "US"),
            (["Trinidad and Tobago", "Trinité-et-Tobago"], "TT"), (["Guyane française", "French Guiana"], "GF"),
            (["France", "FRANCE (Outre-Mer)", "FR", "F"], "FR"), (["Pays Bas", "Netherlands", "NL"], "NL"),
        ] {
            for name in names { #expect(Country(named: name)?.code == code, "\(name)") }
        }
        #expect(Country(named: "") == nil && Country(named: "Atlantide") == nil && Country(named: "XX") == nil)
        #expect(Country(named: String(repeating: "f", count: 1_000_000)) == nil)
    }
}
