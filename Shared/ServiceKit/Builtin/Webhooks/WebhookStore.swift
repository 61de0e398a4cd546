import ClubProtocol
import Crypto
import Postgres

extension WebhookAddress: PostgresEncodable, PostgresDecodable {}
extension WebhookEvent: PostgresEncodable, PostgresDecodable {}
extension Webhook.State: PostgresEncodable, PostgresDecodable {}
extension Webhook.DisabledReason: PostgresEncodable, PostgresDecodable {}
extension Webhook.Payload: PostgresEncodable, PostgresDecodable {}

/// The webhooks and their secrets.
struct WebhookStore: Sendable {
    /// How many secrets of a webhook may be valid at once: the current one, and those it replaced within a day.
    static let maximumSecrets = 5

    let database: PostgresClient
    /// The key that secrets are sealed with.
    let key: SymmetricKey

    private static let columns: SQL = """
        id, url, events, payload, description, state, disabled_reason as "disabledReason",
        failing_since as "failingSince", version, created_at as "createdAt", updated_at as "updatedAt"
        """

    // MARK: Reading

    func get(_ id: Webhook.ID) async throws -> Rows {
        try await database.query("select \(Self.columns) from webhook where id = \(id)")
    }

    func list(_ page: PageRequest) async throws -> Rows {
        let last = try page.place(of: 1) { try? Webhook.ID(validating: $0[0]) }
        let floor: SQL = if let last { "where id > \(last)" } else { .empty }
        return try await database.query(
            "select \(Self.columns) from webhook \(floor) order by id limit \(page.limit + 1)")
    }

    /// Locks a webhook until the end of the transaction.
    ///
    /// - Throws: 404.
    func lock(_ id: Webhook.ID, in transaction: PostgresTransaction) async throws -> Row {
        guard
            let row = try await transaction.first("select \(Self.columns) from webhook where id = \(id) for update")
        else { throw Problem(.notFound) }
        return row
    }

    /// Locks an active webhook, for which messages can be requested.
    ///
    /// - Throws: 404; 409 when it is disabled.
    func lockActive(_ id: Webhook.ID, in transaction: PostgresTransaction) async throws {
        let state: Webhook.State = try await lock(id, in: transaction)["state"]
        guard state == .active else { throw Problem(.webhookDisabled, "Make it active before messages are sent.") }
    }

    // MARK: Changing

    /// - Throws: 409 when all slots are taken.
    func create(
        _ id: Webhook.ID, _ body: CreateWebhook.Body, in transaction: PostgresTransaction
    ) async throws -> (webhook: Webhook, secret: WebhookSecret) {
        // One at a time, so that no two take the same slot.
        try await transaction.execute(
            "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' webhook', 0))")
        let free = try await transaction.first(
            """
            select min(place) as place from generate_series(1, 32) as free (place)
            where not exists (select from webhook where webhook.place = free.place)
            """)
        guard let place = try free?.optional("place", as: Int.self) else {
            throw Problem(.tooManyWebhooks, "Remove one that is no longer needed.")
        }
        let row = try await transaction.first(
            """
            insert into webhook (id, place, url, events, payload, description)
            values (
                \(id), \(place)::bigint::smallint, \(body.url), \(body.events ?? []), \(body.payload ?? .thin),
                \(body.description))
            returning \(Self.columns)
            """)
        guard let row else { throw Problem(.internal) }
        let secret = WebhookSecret()
        try await add(secret, to: id, in: transaction)
        return (try row.decode(Webhook.self), secret)
    }

    /// Changes what is requested. A webhook that becomes active receives changes from then on.
    ///
    /// - Throws: 404; 412 when `version` is not the current one.
    func change(
        _ id: Webhook.ID, _ patch: ChangeWebhook.Body, at version: Int?, in transaction: PostgresTransaction
    ) async throws -> Rows {
        var webhook = try await lock(id, in: transaction).decode(Webhook.self)
        guard webhook.version == version else { throw Problem(.stale) }
        let wasActive = webhook.state == .active
        if let value = patch.url { webhook.url = value }
        if let value = patch.events { webhook.events = value }
        if let value = patch.payload { webhook.payload = value }
        if let value = patch.description { webhook.description = value }
        if let value = patch.state {
            webhook.state = value
            // An operator who disables a webhook that was disabled automatically has seen it.
            webhook.disabledReason = value == .disabled ? .operator : nil
        }
        let becomesActive = webhook.state == .active && !wasActive
        return try await transaction.query(
            """
            update webhook set
                url = \(webhook.url), events = \(webhook.events), payload = \(webhook.payload),
                description = \(webhook.description), state = \(webhook.state),
                disabled_reason = \(webhook.disabledReason),
                starts = case when \(becomesActive) then pg_snapshot_xmin(pg_current_snapshot()) else starts end,
                failing_since = case when \(becomesActive) then null else failing_since end,
                resume_at = case when \(becomesActive) then null else resume_at end,
                version = version + 1, updated_at = now()
            where id = \(id)
            returning \(Self.columns)
            """)
    }

    /// The rest of its log is removed later: see ``WebhookDeliveryStore/purge(betweenPieces:)``.
    ///
    /// - Throws: 404; 412 when `version` is not the current one.
    func delete(_ id: Webhook.ID, at version: Int?, in transaction: PostgresTransaction) async throws {
        let row = try await lock(id, in: transaction)
        guard try row["version", as: Int.self] == version else { throw Problem(.stale) }
        try await transaction.execute("delete from webhook where id = \(id)")
    }

    /// Disables a webhook automatically.
    ///
    /// - Returns: its new version; nil if it was not active.
    func disable(
        _ id: Webhook.ID, _ reason: Webhook.DisabledReason, in transaction: PostgresTransaction
    ) async throws -> Int? {
        try await transaction.first(
            """
            update webhook set state = 'disabled', disabled_reason = \(reason), version = version + 1, updated_at = now()
            where id = \(id) and state = 'active'
            returning version
            """)?["version"]
    }

    // MARK: Secrets

    /// Replaces the current secret. Messages are signed with the old one too for a day.
    ///
    /// - Throws: 404; 409 after too many rotations in a day.
    func rotate(
        _ id: Webhook.ID, in transaction: PostgresTransaction
    ) async throws -> (rotation: WebhookSecretRotation, version: Int) {
        _ = try await lock(id, in: transaction)
        try await transaction.execute("delete from webhook_secret where webhook = \(id) and valid_until <= now()")
        let counted = try await transaction.first(
            "select count(*) as held from webhook_secret where webhook = \(id)")
        guard try counted?["held", as: Int.self] ?? 0 < Self.maximumSecrets else {
            throw Problem(
                .conflict, "It was given \(Self.maximumSecrets) secrets within a day; wait until one expires.")
        }
        let ended = try await transaction.first(
            """
            update webhook_secret set valid_until = now() + interval '24 hours'
            where webhook = \(id) and valid_until is null
            returning valid_until
            """)
        let secret = WebhookSecret()
        try await add(secret, to: id, in: transaction)
        let row = try await transaction.first(
            "update webhook set version = version + 1, updated_at = now() where id = \(id) returning version")
        guard let ended, let row else { throw Problem(.internal) }
        return (
            WebhookSecretRotation(secret: secret.text, previousValidUntil: try ended["valid_until"]),
            try row["version"]
        )
    }

    private func add(
        _ secret: WebhookSecret, to id: Webhook.ID, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.execute(
            "insert into webhook_secret (webhook, sealed) values (\(id), \(try secret.sealed(with: key, for: id)))")
    }

    // MARK: For the sender

    /// Where to send a message, its payload, and its signing secrets.
    struct Target: Sendable {
        var url: WebhookAddress
        var payload: Webhook.Payload
        /// The current one first; none if one of them cannot be opened.
        var secrets: [WebhookSecret]
    }

    /// - Returns: nil when the webhook is deleted or disabled.
    func target(_ id: Webhook.ID) async throws -> Target? {
        let rows = try await database.query(
            """
            select webhook.url, webhook.payload, webhook_secret.sealed
            from webhook join webhook_secret on webhook_secret.webhook = webhook.id
            where webhook.id = \(id) and webhook.state = 'active'
                and (valid_until is null or valid_until > now())
            order by valid_until desc nulls first, webhook_secret.id desc
            """)
        guard let first = rows.first else { return nil }
        let secrets = try? rows.map { row in
            try WebhookSecret(sealed: try row["sealed", as: [UInt8].self], with: key, for: id)
        }
        return Target(url: try first["url"], payload: try first["payload"], secrets: secrets ?? [])
    }

    /// The first transaction that any active webhook receives; nil if there is none.
    func firstTransaction() async throws -> UInt64? {
        let row = try await database.first("select min(starts)::text as starts from webhook where state = 'active'")
        return try row?.optional("starts", as: String.self).flatMap { UInt64($0) }
    }

    /// How many were disabled automatically.
    func countTroubled() async throws -> Int {
        try await database.first(
            "select count(*) as troubled from webhook where disabled_reason in ('gone', 'failing')")?["troubled"] ?? 0
    }
}
