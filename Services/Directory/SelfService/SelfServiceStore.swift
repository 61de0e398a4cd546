import ClubProtocol
import Postgres
import ServiceKit

/// What the pages show of the own record, and the links that were requested.
enum SelfServiceStore {
    typealias LinkID = Identifier<SelfServiceLink>

    /// A record is mailed at most one link in this many minutes, and this many a day: anyone who knows an address may
    /// request them.
    private static let minutes = 10
    private static let linksADay = 3
    /// How many addresses may be queued for their link; beyond it, callers are told to come back later.
    private static let queued = 1000

    // MARK: The record

    /// - Throws: 404 if it is not found.
    static func record(of enrollee: Enrollee, on executor: any PostgresExecutor) async throws -> SelfRecord {
        let operating = Principal.service(.directory)
        switch enrollee {
        case .expert(let id):
            guard let row = try await ExpertStore.get(id, for: operating, on: executor).first else {
                throw Problem(.notFound)
            }
            return .expert(try row.decode(Expert.self))
        case .ambassador(let id):
            guard
                let ambassador = try await AmbassadorStore.get(id, for: operating, on: executor).first?
                    .decode(Ambassador.self),
                let person = try await PersonStore.get(ambassador.person, for: operating, on: executor).first?
                    .decode(Person.self)
            else { throw Problem(.notFound) }
            return .ambassador(ambassador, person)
        }
    }

    /// The vocabulary, by label in French alphabetical order.
    static func topics(on executor: any PostgresExecutor) async throws -> [(code: Topic, label: String)] {
        try await executor.query("select code, label from topic order by directory.sort_key(label)").map {
            (try $0["code"], try $0["label"])
        }
    }

    // MARK: Links

    /// Whether more addresses are queued than can be processed soon.
    static func isCrowded(_ kind: String, on executor: any PostgresExecutor) async throws -> Bool {
        let row = try await executor.first(
            "select count(*) as count from (select from job where kind = \(kind) and state <> 'dead' limit \(queued)) as waiting"
        )
        return try row?["count", as: Int.self] == queued
    }

    /// The records that have this address; those who have left may return by the link.
    static func holders(of email: EmailAddress, on executor: any PostgresExecutor) async throws -> [Enrollee] {
        try await executor.query(
            """
            select 'expert' as entity, record as id from (\(AddressStore.holders(.expert, of: email))) as held
            union all
            select 'ambassador', id from ambassador where person in (\(AddressStore.holders(.person, of: email)))
            order by entity, id limit 20
            """
        ).compactMap { row in
            let (entity, id): (String, String) = (try row["entity"], try row["id", as: Identifier<Enrollee>.self].text)
            return Enrollee(text: "\(entity):\(id)")
        }
    }

    /// Records a link, unless the record was sent one a moment ago, or its daily maximum, by whichever of its addresses
    /// they were requested. The record is locked, so that concurrent requests are counted one after the other.
    static func note(_ enrollee: Enrollee, in transaction: PostgresTransaction) async throws -> LinkID? {
        try await transaction.query("select from \(enrollee.table) where id = \(enrollee.id) for no key update")
        return try await transaction.first(
            """
            insert into self_service_link (id, \(enrollee.table))
            select \(LinkID()), \(enrollee.id)
            where (
                select coalesce(max(asked_at) <= now() - make_interval(mins => \(minutes)::integer), true)
                    and count(*) < \(linksADay)
                from self_service_link
                where \(enrollee.table) = \(enrollee.id) and asked_at > now() - interval '1 day')
            returning id
            """)?["id"]
    }

    /// The recipient of a recorded link, with the present address.
    static func noted(_ link: LinkID, on executor: any PostgresExecutor) async throws -> (Enrollee, SelfRecord)? {
        let row = try await executor.first(
            "select expert, ambassador from self_service_link where id = \(link)")
        guard let row else { return nil }
        let expert: Expert.ID? = try row.optional("expert")
        let ambassador: Ambassador.ID? = try row.optional("ambassador")
        guard let enrollee = expert.map(Enrollee.expert) ?? ambassador.map(Enrollee.ambassador) else { return nil }
        return (enrollee, try await record(of: enrollee, on: executor))
    }

    /// Deletes the links of earlier days.
    static func purge(on executor: any PostgresExecutor) async throws {
        try await executor.execute("delete from self_service_link where asked_at < now() - interval '2 days'")
    }
}
