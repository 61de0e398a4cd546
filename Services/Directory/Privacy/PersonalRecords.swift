import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit

/// Collects what the four services know about a subject.
struct PersonalRecords: Sendable {
    private static let others = ServiceName.allCases.filter { $0 != .directory }

    let backend: Backend

    /// What the directory knows, by section. A feature that stores something about people adds its table here.
    private static func sections(of subject: DataSubject, _ known: SubjectIdentifiers) -> [(name: String, query: SQL)] {
        let everyone = [subject.id] + known.aliases
        let history: SQL = """
            select at, action, role, version from audit
            where entity = \(subject.entity.rawValue) and subject = any(\(everyone.map(\.text))) order by id
            """
        let consents: SQL = """
            select entry.purpose, agreed, source, wording.text as wording, origin, at
            from consent_entry as entry left join consent_wording as wording on wording.id = entry.wording
            where \(subject.table) = \(subject.id) order by entry.number
            """
        let erasures: SQL = """
            select reason, state, created_at as "createdAt" from erasure where subject = \(subject.id) order by id
            """
        let merges: SQL = """
            select merged, before, after, edits, merged_at as "mergedAt", undone_at as "undoneAt", (
                    select jsonb_agg(step -> 'image') from jsonb_array_elements(steps) as step) as "setAside"
            from merge where survivor = any(\(everyone)) order by number
            """
        // Without the other record of the pair: that would be someone else's data.
        let duplicates: SQL = """
            select score, reasons, state, created_at as "createdAt" from duplicate
            where first = any(\(everyone)) or second = any(\(everyone)) order by id
            """
        let formerAddresses: SQL = """
            select email, since, until from address_past
            where record = any(\(everyone)) and email is not null order by until
            """
        let names: SQL = """
            select name, by_staff as "byStaff", since from name_given
            where record = any(\(everyone)) order by since, name
            """
        // Without the account: it may belong to another person of the same name, who is not in the directory.
        let bankLines: SQL = """
            select booked_on as "bookedOn", amount, counterparty, ultimate_party as "ultimateParty", remittance, state
            from bank_line
            where id = any(array(\(known.bankLines(subject.id)))) order by booked_on, id
            """
        let common = [
            ("names", names), ("bankLines", bankLines),
            ("consents", consents), ("history", history), ("erasures", erasures), ("merges", merges),
            ("duplicates", duplicates), ("formerAddresses", formerAddresses),
        ]
        switch subject.entity {
        case .person:
            return [
                (
                    "person",
                    """
                    select person.id, honorific_prefix as "honorificPrefix", given_name as "givenName",
                        family_name as "familyName", person.email, nullif(other_emails, '{}') as "otherEmails",
                        person.unreachable, person.telephone, nullif(other_telephones, '{}') as "otherTelephones",
                        organization.name as organization, job_title as "jobTitle", consents, person.version,
                        person.created_at as "createdAt", person.updated_at as "updatedAt"
                    from person left join organization on organization.id = person.organization
                    where person.id = \(subject.id)
                    """
                ),
                (
                    "mandates",
                    """
                    select mandate.id, organization.name as organization, mandate.kind, from_day as "from",
                        until_day as until, mandate.created_at as "createdAt"
                    from mandate join organization on organization.id = mandate.organization
                    where person = \(subject.id) order by from_day
                    """
                ),
                (
                    "ambassador",
                    """
                    select ambassador.id, organization.name as organization, ambassador.topics, departements,
                        enrolled_on as "enrolledOn", left_on as "leftOn", confirmed_at as "confirmedAt",
                        ambassador.created_at as "createdAt", ambassador.updated_at as "updatedAt"
                    from ambassador left join organization on organization.id = ambassador.organization
                    where person = \(subject.id)
                    """
                ),
                (
                    "confirmations",
                    """
                    select step, asked_at as "askedAt", mailed_at as "mailedAt"
                    from confirmation_request join ambassador on ambassador.id = confirmation_request.ambassador
                    where person = \(subject.id) order by asked_at
                    """
                ),
                (
                    "selfServiceLinks",
                    """
                    select asked_at as "askedAt"
                    from self_service_link join ambassador on ambassador.id = self_service_link.ambassador
                    where person = \(subject.id) order by asked_at
                    """
                ),
                (
                    "referrals",
                    """
                    select referral.id, description, departement, referral.created_at as "createdAt",
                        closed_at as "closedAt"
                    from referral join ambassador on ambassador.id = referral.ambassador
                    where person = \(subject.id) order by referral.id
                    """
                ),
            ] + common
        case .expert:
            return [
                ("expert", "select document as expert from expert where id = \(subject.id)"),
                (
                    "confirmations",
                    """
                    select step, asked_at as "askedAt", mailed_at as "mailedAt"
                    from confirmation_request where expert = \(subject.id) order by asked_at
                    """
                ),
                (
                    "selfServiceLinks",
                    """
                    select asked_at as "askedAt" from self_service_link where expert = \(subject.id) order by asked_at
                    """
                ),
                (
                    "referralOffers",
                    """
                    select referral_offer.id, referral, state, answered_at as "answeredAt", satisfaction, amount, note,
                        created_at as "createdAt"
                    from referral_offer where expert = \(subject.id) order by id
                    """
                ),
            ] + common
        }
    }

    /// The whole document.
    ///
    /// - Throws: 404 for someone whose data the caller may not see; 503 naming a service that does not respond.
    func document(of subject: DataSubject, for principal: Principal) async throws -> AccessDocument {
        let found = try await backend.database.first(
            """
            select id from \(subject.table)
            where id = \(subject.id) and \(subject.isVisible(to: principal))
            """)
        guard found != nil else { throw Problem(.notFound) }
        let known = try await SubjectIdentifiers.find(subject, on: backend.database)
        let services = [try await own(subject, known)] + (try await fromPeers(subject, known))
        return AccessDocument(entity: subject.entity, id: subject.id, gatheredAt: .now, services: services)
    }

    /// What the other three know, by the same identifiers and addresses as for an erasure.
    ///
    /// - Throws: 503 naming a service that does not respond.
    func fromPeers(_ subject: DataSubject, _ known: SubjectIdentifiers) async throws -> [PersonalData] {
        let body = try await inquiry(subject, known)
        let told = try await withThrowingTaskGroup(of: PersonalData.self) { group in
            for name in Self.others {
                group.addTask {
                    do {
                        return try await backend.peers[name].send(ReadPersonalData.request(body: body))
                    } catch let error as ServiceClientError {
                        throw Self.problem(error, name)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return Self.others.compactMap { name in told.first { $0.service == name } }
    }

    /// The request to the others.
    func inquiry(_ subject: DataSubject, _ known: SubjectIdentifiers) async throws -> ReadPersonalData.Body {
        let alone = try await known.alone(subject, on: backend.database)
        return ReadPersonalData.Body(
            entity: subject.entity, id: subject.id, aliases: known.aliases,
            emails: try alone.addresses.map { try EmailAddress(validating: $0) }, held: known.held)
    }

    private static func problem(_ error: ServiceClientError, _ name: ServiceName) -> Problem {
        if case .problem(let document) = error, document.status < 500 { return Problem(.internal) }
        return Problem(
            .unavailable,
            "The \(name.rawValue) service does not answer, and without it the document would be incomplete. Try again later.",
            headers: [.retryAfter: "10"])
    }

    /// What the directory itself knows.
    func own(_ subject: DataSubject, _ known: SubjectIdentifiers) async throws -> PersonalData {
        let parts = Self.sections(of: subject, known).map { section -> SQL in
            "\(section.name)::text, (select coalesce(jsonb_agg(to_jsonb(part)), '[]') from (\(section.query)) as part)"
        }
        return try PersonalData(
            of: .directory,
            await backend.database.first(
                """
                select (select updated_at from \(subject.table) where id = \(subject.id)) as last,
                    jsonb_strip_nulls(jsonb_build_object(\(parts.joined(separator: ", ")))) as data
                """))
    }
}
