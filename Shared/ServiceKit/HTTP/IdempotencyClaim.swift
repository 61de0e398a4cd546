import ClubProtocol
import Crypto
import Foundation
import HTTPTypes
import Postgres

/// One use of an `Idempotency-Key`: by whom, for what, with which content.
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

    private let subject: String
    private let operation: String
    private let key: String
    private let hash: [UInt8]
    private let sealKey: SymmetricKey

    /// - Parameter sealKey: for answers that hold a secret: whoever reads the table does not learn it.
    init(
        subject: String, operation: String, key: String, target: String, body: [UInt8],
        sealedWith sealKey: SymmetricKey
    ) {
        self.sealKey = sealKey
        self.subject = subject
        self.operation = operation
        self.key = key
        var hash = SHA256()
        hash.update(data: Array(target.utf8))
        hash.update(data: [0])
        hash.update(data: body)
        self.hash = Array(hash.finalize())
    }

    private var lookUp: SQL {
        """
        select request_hash, status, headers, body from idempotency
         where subject = \(subject) and operation = \(operation) and key = \(key)
           and created_at > now() - interval '24 hours'
        """
    }

    /// The answer to an earlier request with this key, if one was given.
    ///
    /// - Throws: 422 if that request was another one.
    func stored(on executor: any PostgresExecutor, for requestID: String) async throws -> WireAnswer? {
        try answer(in: try await executor.query(lookUp), for: requestID)
    }

    /// Takes the key for this transaction.
    ///
    /// - Returns: the stored answer, if there is one: then nothing is to be done.
    /// - Throws: 409 while another request with this key is running, 422 if the key came with another request.
    func claim(in transaction: PostgresTransaction, for requestID: String) async throws -> WireAnswer? {
        let lock = place
        // Two statements in one round trip: the second has a snapshot of its own, taken when the lock is held, so that it
        // sees what the last holder has committed.
        let results = try await transaction.batch([
            "select pg_try_advisory_xact_lock(hashtextextended(\(lock), 0)) as locked", lookUp,
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
        let lock = place
        return try await executor.first(
            """
            select from pg_locks, hashtextextended(\(lock), 0) as key
             where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objsubid = 1
               and database = (select oid from pg_database where datname = current_database())
               and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid
            """) != nil
    }

    func store(_ answer: WireAnswer, in transaction: PostgresTransaction) async throws {
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
            values (\(subject), \(operation), \(key), \(hash), \(answer.status.code), \(json), \(body))
            on conflict (subject, operation, key) do update
               set request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
                   body = excluded.body, created_at = now()
            """)
    }

    private func answer(in rows: Rows, for requestID: String) throws -> WireAnswer? {
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
        return WireAnswer(
            HTTPResponse.Status(code: try row["status", as: Int.self]), contentType: head.contentType,
            body: body, requestID: requestID, version: head.version, extra: fields)
    }

    /// What this answer belongs to: sealed for it, it opens nowhere else.
    private var place: String { "\(operation)\n\(subject)\n\(key)" }
}
