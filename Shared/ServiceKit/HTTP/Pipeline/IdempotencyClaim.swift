import ClubProtocol
import Crypto
import FoundationEssentials
import HTTPTypes
import Postgres

/// One use of an `Idempotency-Key`: by which caller, for which operation and target, with which content.
///
/// An advisory lock holds the key for the duration of the transaction, and the response is stored in the same
/// transaction: either effect and response are both there or neither is.
struct IdempotencyClaim: Sendable {
    /// The parts of the head that are stored with the body.
    private struct StoredHead: Codable {
        var contentType: String?
        var version: Int?
        var fields: [String: String]?
        /// Whether the body is sealed.
        var isSealed: Bool?
    }

    /// Whose key it is; the column `subject`.
    private let scope: String
    private let operation: String
    private let key: String
    private let hash: [UInt8]
    private let sealKey: SymmetricKey

    /// - Parameters:
    ///   - client: distinguishes callers without a token.
    ///   - sealKey: for responses that contain a secret, and for the scope: a reader of the table learns neither.
    init(
        by principal: Principal, at client: ClientAddress, operation: String, key: String, target: String,
        body: [UInt8], under sealKey: SymmetricKey
    ) {
        self.sealKey = sealKey
        scope = Self.scope(of: principal, at: client, under: sealKey)
        self.operation = operation
        self.key = key
        var hash = SHA256()
        hash.update(data: Array(target.utf8))
        hash.update(data: [0])
        hash.update(data: body)
        self.hash = Array(hash.finalize())
    }

    /// A digest of everything that decides what the caller may see and do: a response is never replayed to the same
    /// person in another role. Keyed, so that the table contains no names and addresses.
    private static func scope(of principal: Principal, at client: ClientAddress, under key: SymmetricKey) -> String {
        var code = HMAC<SHA256>(key: key)
        let parts = [
            "idempotency", principal.actor, principal.role.rawValue, principal.organization?.text ?? "",
            principal.service?.rawValue ?? "", principal.isAnonymous ? client.text : "",
        ]
        for part in parts {
            code.update(data: Array(part.utf8))
            // A separator: no part contains one.
            code.update(data: [0])
        }
        return code.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private var lookUp: SQL {
        """
        select request_hash, status, headers, body from idempotency
         where subject = \(scope) and operation = \(operation) and key = \(key)
           and created_at > now() - interval '24 hours'
        """
    }

    /// The response to an earlier request with this key, if there is one.
    ///
    /// - Throws: 422 if that request was a different one.
    func stored(on executor: any PostgresExecutor, for requestID: String) async throws -> RawResponse? {
        try answer(in: try await executor.query(lookUp), for: requestID)
    }

    /// Takes the key for this transaction.
    ///
    /// - Returns: the stored response, if there is one: then nothing is to be done.
    /// - Throws: 409 while another request with this key is running, 422 if the key was used with another request.
    func claim(in transaction: PostgresTransaction, for requestID: String) async throws -> RawResponse? {
        // Two statements in one round trip: the second has its own snapshot, taken when the lock is held, so that it
        // sees what the previous holder committed.
        let results = try await transaction.batch([
            "select pg_try_advisory_xact_lock(\(lock)) as locked", lookUp,
        ])
        guard results.count == 2, let first = results[0].first else {
            throw PostgresError(.decoding, message: "the lock's statement has no row")
        }
        guard try first["locked", as: Bool.self] else {
            throw Problem(.stillRunning, headers: [.retryAfter: "1"])
        }
        return try answer(in: results[1], for: requestID)
    }

    /// Whether a request with this key is running, even if only its commit is unconfirmed. Asks the database's locks,
    /// for when no connection is free to ``claim(in:for:)`` the key. The outcome of that request is unknown until its
    /// lock is released.
    func isRunning(on executor: any PostgresExecutor) async throws -> Bool {
        return try await executor.first(
            """
            select from pg_locks, (select \(lock) as key) as wanted
             where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objsubid = 1
               and database = (select oid from pg_database where datname = current_database())
               and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid
            """) != nil
    }

    /// Stores the response, together with the commit.
    func store(_ answer: RawResponse, in transaction: PostgresTransaction) throws {
        let fields = Dictionary(
            answer.extra.map { ($0.name.rawName, $0.value) }, uniquingKeysWith: { first, _ in first })
        let head = StoredHead(
            contentType: answer.contentType, version: answer.version, fields: fields.isEmpty ? nil : fields,
            isSealed: answer.isConfidential ? true : nil)
        let body = answer.isConfidential ? try Sealed.seal(answer.body, with: sealKey, for: place) : answer.body
        let json = JSONText(String(decoding: try WireJSON.encode(head), as: UTF8.self))
        // The conflicting row can only be one that has expired and is not purged yet.
        try transaction.commit(
            with: """
                insert into idempotency (subject, operation, key, request_hash, status, headers, body)
                values (\(scope), \(operation), \(key), \(hash), \(answer.status.code), \(json), \(body))
                on conflict (subject, operation, key) do update
                   set request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
                       body = excluded.body, created_at = now()
                """)
    }

    private func answer(in rows: Rows, for requestID: String) throws -> RawResponse? {
        guard let row = rows.first else { return nil }
        guard try row["request_hash", as: [UInt8].self] == hash else { throw Problem(.keyReused) }
        let json = try row["headers", as: JSONText.self]
        let head = try JSONDecoder().decode(StoredHead.self, from: Data(json.text.utf8))
        var fields: HTTPFields = [:]
        for (name, value) in head.fields ?? [:] {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        fields[.idempotencyReplayed] = "true"
        let stored = try row.optional("body", as: [UInt8].self) ?? []
        let body = head.isSealed == true ? try Sealed.open(stored, with: sealKey, for: place) : stored
        return RawResponse(
            HTTPResponse.Status(code: try row["status", as: Int.self]), contentType: head.contentType,
            body: body, requestID: requestID, version: head.version, extra: fields)
    }

    /// What the response is bound to: sealed for this, it cannot be opened for anything else.
    private var place: String { "\(operation)\n\(scope)\n\(key)" }

    /// The number of the advisory lock. Advisory locks are per database, which all services share, so the schema is
    /// part of it. The caller's key is hashed first, so that no caller can construct one that collides with another
    /// lock.
    var lock: SQL {
        let digest = Array(SHA256.hash(data: Array(place.utf8)))
        return "hashtextextended(current_schema() || ' idempotency ' || encode(\(digest), 'hex'), 0)"
    }
}

extension IdempotencyClaim {
    /// Removes stored responses that are older than a day.
    ///
    /// In batches, so that no statement takes long and none locks many rows; by ctid, because the planner would scan the
    /// whole of a small table for a batch given by keys. The time is checked again, because a key may be reused
    /// meanwhile.
    ///
    /// - Parameter betweenBatches: throws to stop early.
    static func purge(on database: PostgresClient, betweenBatches: () async throws -> Void) async throws {
        while try await database.execute(
            """
            delete from idempotency
            where created_at < now() - interval '24 hours' and ctid = any(array(
                select ctid from idempotency where created_at < now() - interval '24 hours' limit 1000))
            """) > 0
        {
            try await betweenBatches()
        }
    }
}
