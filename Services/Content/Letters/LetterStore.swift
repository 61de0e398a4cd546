import ClubProtocol
import Postgres
import ServiceKit

extension Letter.State: PostgresEncodable, PostgresDecodable {}
extension Letter.Purpose: PostgresEncodable, PostgresDecodable {}
extension Letter.Consent: PostgresEncodable, PostgresDecodable {}
extension LetterAttachment.Kind: PostgresEncodable, PostgresDecodable {}
extension LetterAttachment.Method: PostgresEncodable, PostgresDecodable {}

/// The SQL of letters; ``OutgoingMailStore`` has the SQL of handing them over.
enum LetterStore {
    private static let columns: SQL = """
        letter.id, key, purpose, email, name, reply_to as "replyTo", subject, consent, not_before as "notBefore",
        expires_at as "expiresAt", state, attempt as attempts, reply, created_at as "createdAt",
        updated_at as "updatedAt"
        """
    private static let source: SQL = "letter join outgoing_mail using (id)"

    /// How long a letter is tried, in seconds.
    private static let patience = 72 * 3600

    /// A letter that is to be added.
    struct New: Sendable {
        let id = Letter.ID()
        let body: SendLetter.Body
        let lane: String
    }

    /// Adds letters, but none whose key another letter has, even an uncommitted one.
    ///
    /// In the order of their keys: two requests for the same letters wait for each other, rather than both for ever.
    static func add(_ letters: [New], in transaction: PostgresTransaction) async throws {
        let bodies = letters.map(\.body)
        let rows = try await transaction.query(
            """
            with wanted as materialized (
                select * from unnest(
                    \(letters.map(\.id)), \(letters.map(\.lane))::text[], \(bodies.map(\.purpose.priority)),
                    \(bodies.map(\.key))::text[], \(bodies.map(\.purpose))::text[], \(bodies.map(\.email))::text[],
                    \(bodies.map(\.name))::text[], \(bodies.map { $0.reader?.entity.rawValue })::text[],
                    \(bodies.map { $0.reader?.id })::uuid[], \(bodies.map(\.replyTo))::text[],
                    \(bodies.map(\.subject))::text[],
                    \(try bodies.map { try JSONText(encoding: $0.paragraphs).text })::text[],
                    \(bodies.map { $0.action?.label })::text[], \(bodies.map { $0.action?.url })::text[],
                    \(bodies.map(\.consent))::text[], \(bodies.map(\.notBefore))::timestamptz[],
                    \(bodies.map(\.expiresAt))::timestamptz[]
                ) with ordinality as wanted (
                    id, lane, priority, key, purpose, email, name, reader_entity, reader, reply_to, subject, paragraphs,
                    action_label, action_url, consent, not_before, expires_at, position)
            ), added as (
                insert into letter (
                    id, key, purpose, email, name, reader_entity, reader, reply_to, subject, paragraphs, action_label,
                    action_url, consent, not_before, expires_at)
                select id, key, purpose, email, name, reader_entity, reader, reply_to, subject,
                    array(select jsonb_array_elements_text(paragraphs::jsonb)), action_label, action_url, consent,
                    not_before, expires_at
                from wanted order by key, position
                on conflict (key) do nothing
                returning id
            )
            insert into outgoing_mail (id, lane, priority, state, due_at, deadline)
            select id, lane, priority, 'pending', greatest(now(), not_before),
                least(expires_at, greatest(now(), not_before) + make_interval(secs => \(patience)))
            from wanted join added using (id)
            returning id
            """)
        let added = Set(try rows.map { try $0["id", as: Letter.ID.self] })
        try await addFiles(of: letters.filter { added.contains($0.id) }, in: transaction)
    }

    private static func addFiles(of letters: [New], in transaction: PostgresTransaction) async throws {
        let files = letters.flatMap { letter in
            (letter.body.attachments ?? []).enumerated().map { (letter: letter.id, position: $0 + 1, file: $1) }
        }
        guard !files.isEmpty else { return }
        try await transaction.execute(
            """
            insert into letter_attachment (letter, position, type, file_name, method, bytes)
            select * from unnest(
                \(files.map(\.letter)), \(files.map(\.position)), \(files.map(\.file.type))::text[],
                \(files.map(\.file.fileName))::text[], \(files.map(\.file.method))::text[],
                \(files.map(\.file.content.bytes) as [[UInt8]?])::bytea[])
            """)
    }

    static func get(keys: [Line], on executor: any PostgresExecutor) async throws -> [Letter] {
        try await executor.query("select \(columns) from \(source) where key = any(\(keys)::text[])")
            .decode(Letter.self)
    }

    static func get(_ id: Letter.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query(
            "select \(columns), \(MailTries.all(of: "letter.id")) as tries from \(source) where letter.id = \(id)")
    }

    static func list(
        _ query: ListLetters.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let state = query.state { rules.append("issue is null and state = \(state)") }
        if let purpose = query.purpose { rules.append("purpose = \(purpose)") }
        if let email = query.email { rules.append("lower(email) = lower(\(email.text))") }
        if let key = query.key { rules.append("key = \(key)") }
        if let key = page.after?.first { rules.append("id < \(key)::uuid") }
        return try await executor.query(
            """
            select \(columns) from \(source) where \(rules.all)
            order by id desc limit \(page.limit + 1)
            """)
    }

    /// The state of a letter, locked until the transaction ends; nil when it is not found.
    static func lock(_ id: Letter.ID, in transaction: PostgresTransaction) async throws -> Letter.State? {
        try await transaction.query(
            "select state from outgoing_mail where id = \(id) and issue is null for update"
        ).first?["state"]
    }

    /// A sender that holds it finds that it may not begin.
    static func cancel(_ id: Letter.ID, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update outgoing_mail set state = 'cancelled', sender = null, updated_at = now()
            where id = \(id) and state = 'pending'
            """)
    }

    /// The files of a letter that has not ended, in their order.
    static func files(of id: MailMessage.ID, on executor: any PostgresExecutor) async throws -> [Attachment] {
        try await executor.query(
            """
            select type, file_name, method, bytes from letter_attachment where letter = \(id) order by position
            """
        ).map { row in
            try Attachment(
                type: row["type"], fileName: row["file_name"], bytes: row["bytes"], method: row.optional("method"))
        }
    }

    /// The issue that a letter shows, as it was when the test was asked for.
    static func test(
        in id: MailMessage.ID, on executor: any PostgresExecutor
    ) async throws -> (text: String, html: String)? {
        try await executor.query("select text, html from issue_test where letter = \(id) and text is not null").first
            .map { (try $0["text"], try $0["html"]) }
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object(
            'id', id, 'key', key, 'purpose', purpose, 'state', state, 'updatedAt', updated_at) || coalesce((
                select jsonb_build_object('bouncedAt', reported_at) from mail_report
                where mail_report.mail = letter.id and kind = 'bounce' and was_accepted), '{}') as data
        from \(source) where id = any(\(ids))
        """
    }
}

extension Letter.Purpose {
    /// The order in which letters go out: what its reader waits for comes first.
    var priority: Int {
        switch self {
        case .confirmation, .selfService, .receipt, .ticket: 0
        case .contribution, .reminder, .minutes, .approval, .chaser, .notice: 1
        case .invitation: 2
        }
    }
}
