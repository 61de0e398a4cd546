import ClubProtocol
import Postgres
import ServiceKit

/// The tables of the directory's records, which imports accept.
enum RecordTables {
    /// The headers are ones that an import recognizes.
    static let experts = ExportTable(
        columns: [
            .init("id", "id::text"), .init("subKind", "sub_kind"), .init("name", "name"), .init("siret", "siret"),
            .init("contactName", "contact_name"), .init("email", "email"), unreachable,
            .init("telephone", "directory.telephone_written(telephone)"),
            .init("postalCode", "postal_code"), .init("commune", "commune"), .init("departement", "departement"),
            .init("departements", "array_to_string(departements, ', ')"), .init("topics", topics),
            .init("brands", list("brands")), .init("website", "website"),
        ] + consents + enrolment,
        source: "expert", order: .name(of: "expert"))

    static let organizations = ExportTable(
        columns: [
            .init("id", "id::text"), .init("kind", "kind"), .init("subKind", "sub_kind"), .init("name", "name"),
            .init("siren", "siren"), .init("siret", "siret"), .init("street", "street"),
            .init("postalCode", "postal_code"), .init("commune", "commune"), .init("departement", "departement"),
            .init("email", "email"),
        ] + Mailbox.Role.allCases.map(mailbox) + [
            unreachable, .init("telephone", "directory.telephone_written(telephone)"), .init("website", "website"),
            .init("topics", topics), .init("parent", number(of: "organization.parent")),
            .init("agency", "agency::text"),
            .init("publicDirectory", "case when public_directory then 'oui' else 'non' end"),
        ],
        source: "organization", order: .name(of: "organization"))

    static let people = ExportTable(
        columns: [
            .init("id", "id::text"), .init("honorificPrefix", "honorific_prefix"), .init("familyName", "family_name"),
            .init("givenName", "given_name"), .init("email", "email"),
            .init("otherEmails", list("other_emails")), unreachable,
            .init("telephone", "directory.telephone_written(telephone)"), .init("otherTelephones", otherTelephones),
            .init("organization", number(of: "person.organization")), .init("jobTitle", "job_title"),
        ] + consents,
        source: "person", order: .name(of: "person"))

    /// - Parameter isShown: whether the caller may see a row of `person`: its address, telephone and answers.
    static func ambassadors(isShown: SQL) -> ExportTable {
        ExportTable(
            columns: [
                .init("id", "id::text"), .init("person", "person::text"), .init("honorificPrefix", "honorific_prefix"),
                .init("familyName", "family_name"), .init("givenName", "given_name"), .init("email", "email"),
                .init("otherEmails", list("other_emails")), unreachable,
                .init("telephone", "directory.telephone_written(telephone)"),
                .init("otherTelephones", otherTelephones),
                .init("organization", number(of: "ambassador.organization")), .init("jobTitle", "job_title"),
                .init("topics", topics),
                .init("departements", "array_to_string(departements, ', ')"),
            ] + consents + enrolment,
            source: """
                ambassador cross join lateral (
                    select honorific_prefix, family_name, given_name, job_title,
                        case when \(isShown) then email end as email,
                        case when \(isShown) then other_emails end as other_emails,
                        case when \(isShown) then unreachable end as unreachable,
                        case when \(isShown) then telephone end as telephone,
                        case when \(isShown) then other_telephones end as other_telephones,
                        case when \(isShown) then consents end as consents
                    from person where person.id = ambassador.person) as who
                """, order: .name(of: "ambassador"))
    }

    private static func mailbox(_ role: Mailbox.Role) -> ExportTable.Column {
        ExportTable.Column(
            "\(role.rawValue)Email",
            """
            (select box ->> 'email' from jsonb_array_elements(mailboxes) as box where box ->> 'role' = \(role.rawValue))
            """)
    }

    /// The identification of an organization that an import can match, even in another database if it has a SIRET.
    private static func number(of organization: SQL) -> SQL {
        "(select coalesce(o.siret, o.id::text) from organization o where o.id = \(organization))"
    }

    /// These days are the club's own facts; no import changes known ones.
    private static let enrolment: [ExportTable.Column] = [
        .init("enrolledOn", "to_char(enrolled_on, 'YYYY-MM-DD')"), .init("leftOn", "to_char(left_on, 'YYYY-MM-DD')"),
        .init("confirmedOn", "to_char(confirmed_at at time zone 'Europe/Paris', 'YYYY-MM-DD')"),
    ]

    /// The day since which mail comes back. No import has an effect on it.
    private static let unreachable = ExportTable.Column(
        "unreachableSince",
        "to_char((unreachable ->> 'since')::timestamptz at time zone 'Europe/Paris', 'YYYY-MM-DD')")

    private static let otherTelephones: SQL = """
        (select string_agg(directory.telephone_written(number), ', ' order by place)
        from unnest(other_telephones) with ordinality as each_number (number, place))
        """

    /// Codes: they contain no list separator.
    private static let topics: SQL = "array_to_string(topics, ', ')"

    /// Free text, such as names and addresses, in the form of ``Cell/list(of:)``: a part that contains a list separator
    /// is quoted.
    private static func list(_ column: SQL) -> SQL {
        #"""
        (select string_agg(
            case when part ~ '[,;|"]' then '"' || replace(part, '"', '""') || '"' else part end, ', ' order by place)
        from unnest(\#(column)) with ordinality as each_part (part, place))
        """#
    }

    private static let consents: [ExportTable.Column] = [
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

extension ExportTable.Order {
    /// By the name of the table's records.
    static func name(of table: SQL) -> Self {
        Self(first: ("\(table).sort_key", "text"), second: ("\(table).id", "uuid"))
    }
}
