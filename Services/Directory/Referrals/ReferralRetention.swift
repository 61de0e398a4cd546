import ClubProtocol
import Postgres
import ServiceKit

/// Who the firm is that an ambassador brought: needed while the need is worked on, and for some time after.
struct ReferralRetention: Sendable {
    let backend: Backend

    private static func due(_ months: Int) -> SQL {
        """
        select id, updated_at as since from referral
        where updated_at < now() - make_interval(months => \(months)::integer)
            and (firm_name is not null or firm_contact is not null or firm_email is not null
                or firm_telephone is not null)
        """
    }

    var task: RetentionTask {
        RetentionTask("referrals", "The firms of referrals: forgotten, except for what they needed.", due: Self.due) {
            months, job in
            var count = 0
            while true {
                let forgotten = try await forget(months, job)
                guard forgotten > 0 else { return count }
                count += forgotten
            }
        }
    }

    /// At most a thousand per transaction.
    ///
    /// - Returns: how many.
    private func forget(_ months: Int, _ job: JobContext) async throws -> Int {
        try await backend.database.transaction { transaction in
            try await job.fence(in: transaction)
            let forgotten: [Referral.ID] = try await transaction.query(
                """
                update referral set
                    firm_name = null, firm_contact = null, firm_email = null, firm_telephone = null,
                    version = version + 1, updated_at = now()
                where id in (
                    select id from referral where id in (select id from (\(Self.due(months))) as due order by since limit 1000)
                    for update skip locked)
                returning id
                """
            ).map { try $0["id"] }
            try await transaction.record(forgotten.map { .init(.changed, .referral, $0) }, by: .service(.directory))
            return forgotten.count
        }
    }
}
