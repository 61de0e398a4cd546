import ClubProtocol
import Postgres

/// What a table of records holds: its headers, and the text of each cell as the database gives it.
struct ExportTable: Sendable {
    struct Column: Sendable {
        var header: String
        /// Of type text; null for an empty cell.
        var cell: SQL

        init(_ header: String, _ cell: SQL) {
            self.header = header
            self.cell = cell
        }
    }

    let columns: [Column]
    let source: SQL

    /// In the order of the list.
    func query(where condition: SQL) -> SQL {
        """
        select \(columns.map(\.cell).joined(separator: ", ")) from \(source)
        where \(condition) order by sort_key, id
        """
    }

    /// The headers are those that an import knows.
    static let experts = ExportTable(
        columns: [
            .init("id", "id::text"), .init("subKind", "sub_kind"), .init("name", "name"), .init("siret", "siret"),
            .init("contactName", "contact_name"), .init("email", "email"),
            .init("telephone", "directory.telephone_written(telephone)"),
            .init("postalCode", "postal_code"), .init("commune", "commune"), .init("departement", "departement"),
            .init("departements", "array_to_string(departements, ', ')"), .init("topics", topics),
            .init("brands", brands), .init("website", "website"),
        ] + consents + enrolment,
        source: "expert")

    static let organizations = ExportTable(
        columns: [
            .init("id", "id::text"), .init("kind", "kind"), .init("subKind", "sub_kind"), .init("name", "name"),
            .init("siren", "siren"), .init("siret", "siret"), .init("street", "street"),
            .init("postalCode", "postal_code"), .init("commune", "commune"), .init("departement", "departement"),
            .init("email", "email"), .init("telephone", "directory.telephone_written(telephone)"),
            .init("website", "website"),
            .init("topics", topics), .init("parent", number(of: "organization.parent")),
            .init("agency", "agency::text"),
            .init("publicDirectory", "case when public_directory then 'oui' else 'non' end"),
        ],
        source: "organization")

    static let people = ExportTable(
        columns: [
            .init("id", "id::text"), .init("familyName", "family_name"), .init("givenName", "given_name"),
            .init("email", "email"), .init("telephone", "directory.telephone_written(telephone)"),
            .init("organization", number(of: "person.organization")),
        ] + consents,
        source: "person")

    /// - Parameter isShown: whether the caller may see a row of `person`: its address, telephone and answers.
    static func ambassadors(isShown: SQL) -> ExportTable {
        ExportTable(
            columns: [
                .init("id", "id::text"), .init("person", "person::text"), .init("familyName", "family_name"),
                .init("givenName", "given_name"), .init("email", "email"),
                .init("telephone", "directory.telephone_written(telephone)"),
                .init("organization", number(of: "ambassador.organization")), .init("topics", topics),
                .init("departements", "array_to_string(departements, ', ')"),
            ] + consents + enrolment,
            source: """
                ambassador cross join lateral (
                    select family_name, given_name, case when \(isShown) then email end as email,
                        case when \(isShown) then telephone end as telephone,
                        case when \(isShown) then consents end as consents
                    from person where person.id = ambassador.person) as who
                """)
    }

    /// An organization as an import finds it again, elsewhere too if it has a SIRET.
    private static func number(of organization: SQL) -> SQL {
        "(select coalesce(o.siret, o.id::text) from organization o where o.id = \(organization))"
    }

    /// Those days are facts of the club, which no import changes where they are known.
    private static let enrolment: [Column] = [
        .init("enrolledOn", "to_char(enrolled_on, 'YYYY-MM-DD')"), .init("leftOn", "to_char(left_on, 'YYYY-MM-DD')"),
        .init("confirmedOn", "to_char(confirmed_at at time zone 'Europe/Paris', 'YYYY-MM-DD')"),
    ]

    private static let topics: SQL = "array_to_string(topics, ', ')"

    /// Brands have names of their own: one with a sign that parts a list stands in quotes.
    private static let brands: SQL = #"""
        (select string_agg(
            case when brand ~ '[,;|"]' then '"' || replace(brand, '"', '""') || '"' else brand end, ', ' order by place)
        from unnest(brands) with ordinality as each_brand (brand, place))
        """#

    private static let consents: [Column] = [
        .init("flashInfo", "case consents #>> '{flashInfo,agreed}' when 'true' then 'oui' when 'false' then 'non' end"),
        .init(
            "eventInvitations",
            "case consents #>> '{eventInvitations,agreed}' when 'true' then 'oui' when 'false' then 'non' end"),
        .init(
            "publicDirectory",
            "case consents #>> '{publicDirectory,agreed}' when 'true' then 'oui' when 'false' then 'non' end"),
        .init(
            "partnerOffers",
            "case consents #>> '{partnerOffers,agreed}' when 'true' then 'oui' when 'false' then 'non' end"),
    ]
}
