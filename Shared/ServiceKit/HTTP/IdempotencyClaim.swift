import ClubProtocol
import Crypto
import FoundationEssentials
import HTTPTypes
import Postgres

/// One use of an `Idempotency-Key`: by whom and as what, for what, with which content.
///
/// The key is held by an advisory lock for the time of the transaction, and the answer is stored in it: either effect and
/// answer are both there or neither is.
struct IdempotencyClaim: Sendable {
    /// What of the head is kept with the body.
    private struct StoredHead: Codable {
        var contentType: String?
        var version: Int?
        var fields: [String: String]?
        /// Whether the body is sealed.
        var isSealed: Bool?
    }

    /// Whose key it is; stands in the column `subject`.
    private let scope: String
    private let operation: String
    private let key: String
    private let hash: [UInt8]
    private let sealKey: SymmetricKey

    /// - Parameters:
    ///   - client: tells apart those who have no token.
    ///   - sealKey: for answers that hold a secret, and for the scope: whoever reads the table learns neither.
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

    /// Everything that decides what the caller may see and do: an answer that was given to the same person as somebody else is not
    /// given again. Keyed, so that the table holds no names and addresses.
    private static func scope(of principal: Principal, at client: ClientAddress, under key: SymmetricKey) -> String {
        var code = HMAC<SHA256>(key: key)
        let parts = [
            "idempotency", principal.actor, principal.role.rawValue, principal.organization?.text ?? "",
            principal.service?.rawValue ?? "", principal.isAnonymous ? client.text : "",
        ]
        for part in parts {
            code.update(data: Array(part.utf8))
            // No part holds one.
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

    /// The answer to an earlier request with this key, if one was given.
    ///
    /// - Throws: 422 if that request was another one.
    func stored(on executor: any PostgresExecutor, for requestID: String) async throws -> RawResponse? {
        try answer(in: try await executor.query(lookUp), for: requestID)
    }

    /// Takes the key for this transaction.
    ///
    /// - Returns: the stored answer, if there is one: then nothing is to be done.
    /// - Throws: 409 while another request with this key is running, 422 if the key came with another request.
    func claim(in transaction: PostgresTransaction, for requestID: String) async throws -> RawResponse? {
        // Two statements in one round trip: the second has a snapshot of its own, taken when the lock is held, so that it
        // sees what the last holder has committed.
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

    /// Whether a request with this key is at work, be it only that its commit is not confirmed: asked of the database's locks, for
    /// when there is no connection free to ``claim(in:for:)`` it. Its outcome is not known before the lock is gone.
    func isRunning(on executor: any PostgresExecutor) async throws -> Bool {
        return try await executor.first(
            """
            select from pg_locks, (select \(lock) as key) as wanted
             where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objsubid = 1
               and database = (select oid from pg_database where datname = current_database())
               and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid
            """) != nil
    }

    func store(_ answer: RawResponse, in transaction: PostgresTransaction) async throws {
        let fields = Dictionary(
            answer.extra.map { ($0.name.rawName, $0.value) }, uniquingKeysWith: { first, _ in first })
        let head = StoredHead(
            contentType: answer.contentType, version: answer.version, fields: fields.isEmpty ? nil : fields,
            isSealed: answer.isConfidential ? true : nil)
        let body = answer.isConfidential ? try Sealed.seal(answer.body, with: sealKey, for: place) : answer.body
        let json = JSONText(String(decoding: try WireJSON.encode(head), as: UTF8.self))
        // The row in the way can only be one that is past its day and not yet purged.
        try await transaction.execute(
            """
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

    /// What this answer belongs to: sealed for it, it opens nowhere else.
    private var place: String { "\(operation)\n\(scope)\n\(key)" }

    /// The number of the advisory lock. Those are the whole database's, and all services share one: the schema is in it. What the
    /// caller chose is hashed first, so that nobody finds a key that is another lock's.
    var lock: SQL {
        let digest = Array(SHA256.hash(data: Array(place.utf8)))
        return "hashtextextended(current_schema() || ' idempotency ' || encode(\(digest), 'hex'), 0)"
    }
}
