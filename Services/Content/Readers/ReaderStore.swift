import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of what readers say by the links in their mails.
enum ReaderStore {
    /// What holds for an address.
    struct Standing: Decodable, Sendable {
        /// What its reader has left.
        struct Departure: Decodable, Sendable {
            var purpose: Suppression.Purpose
            /// Whether the link still takes a return.
            var isFresh: Bool
        }

        var isErased: Bool
        /// Whether it gets no mail at all: it bounced, its reader complained, or the staff said so.
        var isBarred: Bool
        var departures: [Departure]
        var preference: ReaderPreference?

        func departure(from purpose: Suppression.Purpose) -> Departure? {
            departures.first { $0.purpose == purpose }
        }
    }

    /// How long a return is possible.
    private static let patience: SQL = "make_interval(days => \(ConsentReturn.days)::integer)"

    static func standing(of email: EmailAddress, on executor: any PostgresExecutor) async throws -> Standing {
        let rows = try await executor.query(
            """
            select exists (select from erased_address where hash = address_hash(reader.email)) as "isErased",
                exists (
                    select from suppression where suppression.email = reader.email and purpose is null) as "isBarred",
                (select coalesce(jsonb_agg(jsonb_build_object(
                        'purpose', purpose, 'isFresh', unsubscribed_at > now() - \(patience))), '[]')
                    from suppression where suppression.email = reader.email and purpose is not null) as departures,
                (select jsonb_strip_nulls(jsonb_build_object(
                        'kinds', kinds, 'rhythm', rhythm, 'pausedUntil', paused_until))
                    from reader_preference kept where kept.email = reader.email) as preference
            from (values (lower(\(email)::text))) as reader (email)
            """)
        guard let standing = try rows.first?.decode(Standing.self) else { throw Problem(.notFound) }
        return standing
    }

    /// Writes down what a reader wants, and records that; nothing if they want it already.
    static func save(
        _ preference: ReaderPreference, of email: EmailAddress, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        let saved = try await transaction.first(
            """
            insert into reader_preference as kept (id, email, kinds, rhythm, paused_until)
            values (
                \(ReaderPreference.ID()), lower(\(email)), \(preference.kinds?.map(\.rawValue)), \(preference.rhythm),
                \(preference.pausedUntil))
            on conflict on constraint reader_preference_once do update
                set kinds = excluded.kinds, rhythm = excluded.rhythm, paused_until = excluded.paused_until,
                    version = kept.version + 1, updated_at = now()
                where (kept.kinds, kept.rhythm, kept.paused_until)
                    is distinct from (excluded.kinds, excluded.rhythm, excluded.paused_until)
            returning id, version
            """)
        guard let saved else { return }
        let version: Int = try saved["version"]
        try await transaction.record(
            version == 1 ? .created : .changed, .readerPreference, try saved["id", as: ReaderPreference.ID.self],
            version: version, values: preference, by: principal)
    }

    /// Takes back that the reader of an address left something, if that was lately; no suppression of another reason.
    ///
    /// - Returns: whether it was taken back.
    static func comeBack(
        _ email: EmailAddress, to purpose: Suppression.Purpose, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Bool {
        let row = try await transaction.first(
            """
            with lifted as (
                delete from suppression
                where email = lower(\(email)) and purpose = \(purpose) and reason = 'unsubscribed'
                    and unsubscribed_at > now() - \(patience)
                returning id, email, purpose, unsubscribed_at
            )
            insert into consent_return (id, email, purpose, left_at)
            select \(ConsentReturn.ID()), email, purpose, unsubscribed_at from lifted
            returning id, (select id from lifted) as suppression
            """)
        guard let row else { return false }
        try await transaction.record(
            [
                .init(.deleted, .suppression, try row["suppression", as: Suppression.ID.self]),
                .init(.created, .consentReturn, try row["id", as: ConsentReturn.ID.self]),
            ], by: principal)
        return true
    }

    /// What followers of the change feed receive; of preferences, which are nobody else's business, only that they changed.
    static func returns(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object(
            'id', id, 'email', email, 'purpose', purpose, 'leftAt', left_at, 'returnedAt', returned_at) as data
        from consent_return where id = any(\(ids))
        """
    }

    /// Whether the club writes to an address: it got an issue in the last two years, or its reader has said something by a
    /// link.
    static func isReader(_ email: EmailAddress, on executor: any PostgresExecutor) async throws -> Bool {
        let row = try await executor.first(
            """
            select exists (
                    select from delivery
                    where lower(email) = lower(\(email)) and created_at > now() - interval '24 months')
                or exists (select from reader_preference where email = lower(\(email)))
                or exists (select from suppression where email = lower(\(email))) as found
            """)
        return try row?["found"] ?? false
    }
}
