import ClubProtocol
import FoundationEssentials
import Postgres

/// Who is mailed, as of now.
enum AudienceStore {
    /// A page of the audience's members who are enrolled, agreed and have an address, ordered by identifier.
    static func members(of audience: Audience, after last: UUID?, limit: Int) -> SQL {
        let members =
            switch audience.audience {
            case .ambassadors: ambassadors(audience, after: last)
            case .experts: experts(audience, of: [], after: last)
            case .webAgencies: experts(audience, of: ["sub_kind = 'webAgency'"], after: last)
            case .resellers: experts(audience, of: ["sub_kind = 'reseller'"], after: last)
            }
        let page: SQL = "\(members) limit \(limit)"
        return page.plannedByValue
    }

    private static func ambassadors(_ audience: Audience, after last: UUID?) -> SQL {
        let rules: [SQL] =
            ["left_on is null", .agreed(to: audience.consent)] + field(audience)
            + (last.map { ["ambassador.id > \($0)"] } ?? [])
        return """
            select 'ambassador' as entity, ambassador.id, ambassador.person, \(SQL.personName(of: "person")) as name, mailbox.email,
                departements[1] as departement, \(agreedAt(audience, "person")) as "agreedAt"
            from ambassador join person on person.id = ambassador.person \(Recipient.join(.person, "person.id"))
            where \(rules.all)
            order by ambassador.id
            """
    }

    private static func experts(_ audience: Audience, of kind: [SQL], after last: UUID?) -> SQL {
        let rules: [SQL] =
            kind + ["left_on is null", .agreed(to: audience.consent)] + field(audience)
            + (last.map { ["id > \($0)"] } ?? [])
        return """
            select 'expert' as entity, id, expert.name, mailbox.email, departement, sub_kind as "subKind",
                \(agreedAt(audience, "expert")) as "agreedAt"
            from expert \(Recipient.join(.expert, "expert.id"))
            where \(rules.all)
            order by id
            """
    }

    /// When they agreed, while having the address they are written to; null where the answer was recorded before the
    /// address was theirs. An address that a file or the staff added later may belong to a person who has left or was
    /// erased: no consent covers that one.
    ///
    /// - Parameter table: the members' table, which is also the name of the ledger's column.
    private static func agreedAt(_ audience: Audience, _ table: SQL) -> SQL {
        """
        (
            select max(at) from consent_entry join address_held on record = \(table).id and email = lower(mailbox.email)
            where consent_entry.\(table) = \(table).id and purpose = \(audience.consent.rawValue) and agreed
                and at = (\(table).consents -> \(audience.consent.rawValue)::text ->> 'at')::timestamptz
                and coalesce(recorded_at, at) >= since)
        """
    }

    private static func field(_ audience: Audience) -> [SQL] {
        var rules: [SQL] = []
        if let departements = audience.departements { rules.append("departements && \(departements)::text[]") }
        if let topics = audience.topics { rules.append("topics && \(topics)::text[]") }
        return rules
    }
}

extension Audience {
    fileprivate var consent: ClubProtocol.Purpose {
        switch purpose {
        case .flashInfo: .flashInfo
        case .eventInvitations: .eventInvitations
        }
    }
}
