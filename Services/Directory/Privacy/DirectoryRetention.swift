import ClubProtocol
import Postgres
import ServiceKit

/// How long the directory keeps personal data. A feature that keeps more about people adds its rule here, and the
/// period in its migration.
struct DirectoryRetention: Sendable {
    let backend: Backend

    var tasks: [RetentionTask] { [inactivePeople, leftExperts, erasures, formerAddresses, bankLines] }

    /// People who neither represent, advise for, nor work for a member, nor recently did; and without an answer or a
    /// change for that long.
    private static func inactive(_ months: Int) -> SQL {
        let limit: SQL = "now() - make_interval(months => \(months)::integer)"
        return """
            select id, updated_at as since from person
            where updated_at < \(limit)
                and not exists (
                    select from ambassador
                    where ambassador.person = person.id and coalesce(left_on, 'infinity') >= (\(limit))::date)
                and not exists (
                    select from mandate
                    where mandate.person = person.id and coalesce(until_day, 'infinity') >= (\(limit))::date)
                and not exists (
                    select from membership
                    where membership.organization = person.organization and until_day >= (\(limit))::date)
                and not exists (
                    select from consent_entry where consent_entry.person = person.id and consent_entry.at >= \(limit))
                and not exists (
                    select from erasure where erasure.subject = person.id and erasure.state <> 'refused')
            """
    }

    /// Erased from all services, unless one of them has been in contact with the person since. If a service does not
    /// respond, the person is kept until the next night.
    private var inactivePeople: RetentionTask {
        RetentionTask(
            "inactivePeople", "People without any role and without contact: erased from all services.",
            due: Self.inactive
        ) { months, job in
            let records = PersonalRecords(backend: backend)
            let due = try await backend.database.query(
                """
                select id, now() - make_interval(months => \(months)::integer) as "limit"
                from (\(Self.inactive(months))) as due order by since
                """)
            var count = 0
            for row in due {
                try await job.heartbeat()
                let person: Person.ID = try row["id"]
                let limit: Timestamp = try row["limit"]
                let subject = DataSubject(person)
                let known = try await SubjectIdentifiers.find(subject, on: backend.database)
                let told = try await records.fromPeers(subject, known)
                if told.contains(where: { ($0.lastActivity ?? limit) > limit }) { continue }
                if try await erase(subject, while: Self.inactive(months), job) { count += 1 }
            }
            return count
        }
    }

    /// Experts who left and have no open offer of work.
    private static func left(_ months: Int) -> SQL {
        """
        select id, left_on::timestamptz as since from expert
        where left_on < (now() - make_interval(months => \(months)::integer))::date
            and updated_at < now() - make_interval(months => \(months)::integer)
            and not exists (
                select from referral_offer where referral_offer.expert = expert.id and state in ('sent', 'accepted'))
            and not exists (select from erasure where erasure.subject = expert.id and erasure.state <> 'refused')
        """
    }

    private var leftExperts: RetentionTask {
        RetentionTask(
            "leftExperts", "Experts who left the network: erased from all services.", due: Self.left
        ) { months, job in
            let due = try await backend.database.query("select id from (\(Self.left(months))) as due order by since")
            var count = 0
            for row in due {
                try await job.heartbeat()
                let expert: Expert.ID = try row["id"]
                if try await erase(DataSubject(expert), while: Self.left(months), job) { count += 1 }
            }
            return count
        }
    }

    /// - Returns: whether it was still due.
    private func erase(_ subject: DataSubject, while due: SQL, _ job: JobContext) async throws -> Bool {
        let eraser = Eraser(backend: backend)
        return try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            try await transaction.query(
                "select id from \(subject.table) where id = \(subject.id) for update")
            let still = try await transaction.first("select id from (\(due)) as due where id = \(subject.id)")
            guard still != nil else { return false }
            let id = try await eraser.request(subject, .retention, by: .service(.directory), in: transaction)
            try await eraser.begin(id, subject, version: 1, by: .service(.directory), in: transaction)
            return true
        }
    }

    /// By then the content service's copies of letters to them are gone, too. The row is kept: it determines since when
    /// the record has had its next address.
    private var formerAddresses: RetentionTask {
        let due: @Sendable (Int) -> SQL = { months in
            """
            select record as id, until as since from address_past
            where until < now() - make_interval(months => \(months)::integer) and email is not null
            """
        }
        return RetentionTask(
            "formerAddresses", "Addresses that are no longer a record's: forgotten.", on: backend, due: due,
            statement: { months, atMost in
                """
                update address_past set email = null
                where ctid = any(array(
                    select ctid from address_past
                    where until < now() - make_interval(months => \(months)::integer) and email is not null
                    limit \(atMost)))
                returning record as id
                """
            })
    }

    /// Who paid, from which account, and with which text: kept as long as the treasurer may still ask. The day, the
    /// amount, the bank's own reference, and the key by which the line is recognized in another file are kept.
    private var bankLines: RetentionTask {
        RetentionTask(
            "bankLines", "Bank lines: forgotten, except for day, amount and reference.",
            on: backend,
            due: { months in
                """
                select id, updated_at as since from bank_line
                where forgotten_at is null and updated_at < now() - make_interval(months => \(months)::integer)
                """
            },
            statement: { months, atMost in
                """
                update bank_line set counterparty = null, ultimate_party = null, counterparty_iban = null, remittance = null,
                    end_to_end = null, forgotten_at = now(), version = version + 1, updated_at = now()
                where ctid = any(array(
                    select ctid from bank_line
                    where forgotten_at is null and updated_at < now() - make_interval(months => \(months)::integer)
                    limit \(atMost)))
                returning id
                """
            })
    }

    /// Of an erasure, only the fact is kept for this long.
    private var erasures: RetentionTask {
        RetentionTask(
            "erasures", "Erasures that are done or refused: forgotten.", on: backend,
            due: { months in
                """
                select id, updated_at as since from erasure
                where state in ('done', 'refused') and updated_at < now() - make_interval(months => \(months)::integer)
                """
            },
            statement: { months, atMost in
                """
                with gone as (
                    select id from erasure
                    where state in ('done', 'refused')
                        and updated_at < now() - make_interval(months => \(months)::integer)
                    order by id limit \(atMost)
                ), reports as (
                    delete from erasure_report where erasure in (select id from gone)
                )
                delete from erasure where id in (select id from gone) returning id
                """
            })
    }
}
