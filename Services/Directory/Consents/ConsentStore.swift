import ClubProtocol
import Postgres
import ServiceKit

/// The ledger of consents. The database writes it whenever `consents` of a person or an expert is set; call
/// `setProvenance(_:wording:origins:by:in:)` first, in the same transaction.
enum ConsentStore {
    /// The provenance of the answers recorded in a transaction.
    private struct Provenance: Encodable {
        var source: ConsentEntry.Source
        var by: String
        /// The question, if it is not the club's standard one.
        var wording: Int?
        /// By record: the source that a file gives for its answers.
        var origins: [String: Line]?
    }

    private static let columns: SQL = """
        entry.number as "_number", entry.purpose, agreed, source, wording.text as wording, origin, at, written_by as "by"
        """
    private static let entries: SQL = """
        consent_entry as entry left join consent_wording as wording on wording.id = entry.wording
        """

    /// The club's standard questions, as shown to people who answer for themselves.
    static func questions(on executor: any PostgresExecutor) async throws -> [String: String] {
        var questions: [String: String] = [:]
        for row in try await executor.query("select purpose, text from consent_wording where standard") {
            questions[try row["purpose"]] = try row["text", as: String.self]
        }
        return questions
    }

    /// Sets the provenance of the answers recorded in the rest of the transaction.
    ///
    /// - Parameter origins: by record, the source that a file gives for its answers.
    static func setProvenance(
        _ source: ConsentEntry.Source, wording: Int? = nil, origins: [String: Line]? = nil, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        let provenance = try JSONText(
            encoding: Provenance(source: source, by: principal.actor, wording: wording, origins: origins))
        try await transaction.query("select set_config('directory.consent', \(provenance)::text, true)")
    }

    /// For merges: the answers that are written are in the ledger already, and its lines move with them.
    static func setProvenanceOfMerge(in transaction: PostgresTransaction) async throws {
        try await transaction.query(#"select set_config('directory.consent', '{"source": "moved"}', true)"#)
    }

    /// The same for the answers of a new person or expert: from the staff, or from the person.
    static func setProvenance(
        _ choices: ConsentChoices?, by principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        guard let choices, choices != ConsentChoices() else { return }
        try await setProvenance(principal.role == .operator ? .operator : .own, by: principal, in: transaction)
    }

    /// Records an answer, even one that repeats the last: it is new evidence. An answer given before the current one is
    /// added to the ledger and changes nothing else; of two with the same time, as with the same day, the no prevails.
    ///
    /// - Returns: the version of the person or the expert after it, and the line of the ledger.
    /// - Throws: 404 for someone whom the caller may not answer for; 422.
    static func add(
        _ answer: ConsentAnswer, of subject: DataSubject, by principal: Principal, in transaction: PostgresTransaction
    ) async throws -> (version: Int, rows: Rows) {
        let source = try source(of: answer, by: principal)
        let time = try time(of: answer, by: principal)
        var wording: Int?
        if let text = answer.wording { wording = try await Self.wording(answer.purpose, text, in: transaction) }
        try await setProvenance(source, wording: wording, by: principal, in: transaction)
        let row = try await transaction.first(
            """
            update \(subject.table) set consents = consents || jsonb_build_object(
                    \(answer.purpose.rawValue)::text, jsonb_build_object('agreed', \(answer.agreed)::boolean, 'at',
                        directory.rfc3339(\(time)))),
                version = version + 1, updated_at = now()
            where id = \(subject.id) and \(subject.isVisible(to: principal))
                and case
                    when \(!answer.agreed) and \(SQL.agreed(to: answer.purpose))
                        then (consents -> \(answer.purpose.rawValue)::text ->> 'at')::timestamptz <= \(time)
                    else coalesce((consents -> \(answer.purpose.rawValue)::text ->> 'at')::timestamptz < \(time), true) end
            returning version
            """)
        guard let row else {
            let version = try await addEarlier(answer, at: time, of: subject, by: principal, in: transaction)
            return (version, try await latest(of: subject, in: transaction))
        }
        return (try row["version"], try await latest(of: subject, in: transaction))
    }

    /// The line that was written last.
    private static func latest(of subject: DataSubject, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            select \(columns) from \(entries)
            where \(subject.table) = \(subject.id) order by entry.number desc limit 1
            """)
    }

    private static func addEarlier(
        _ answer: ConsentAnswer, at time: SQL, of subject: DataSubject, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Int {
        let row = try await transaction.first(
            """
            select version from \(subject.table)
            where id = \(subject.id) and \(subject.isVisible(to: principal)) for update
            """)
        guard let row else { throw Problem(.notFound) }
        try await transaction.execute(
            """
            insert into consent_entry (\(subject.table), purpose, agreed, source, wording, at, written_by)
            select \(subject.id), asked.purpose, \(answer.agreed), said ->> 'source', asked.wording, \(time), said ->> 'by'
            from directory.consent_said() as said cross join directory.consent_asked(said) as asked
            where asked.purpose = \(answer.purpose.rawValue)
            """)
        return try row["version"]
    }

    /// The lines of a subject's ledger, the latest first.
    ///
    /// - Throws: 404 for someone whose ledger the caller may not see.
    static func list(
        of subject: DataSubject, _ filter: ConsentEntryFilter, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        let found = try await executor.first(
            "select id from \(subject.table) where id = \(subject.id) and \(subject.isVisible(to: principal))")
        guard found != nil else { throw Problem(.notFound) }
        var rules: [SQL] = ["\(subject.table) = \(subject.id)"]
        if let purpose = filter.purpose { rules.append("entry.purpose = \(purpose.rawValue)") }
        if let after = page.after?.first { rules.append("entry.number < \(after)::text::bigint") }
        return try await executor.query(
            """
            select \(columns) from \(entries)
            where \(rules.all)
            order by entry.number desc limit \(page.limit + 1)
            """)
    }

    private static func source(
        of answer: ConsentAnswer, by principal: Principal
    ) throws(Problem) -> ConsentEntry.Source {
        guard principal.role == .operator else {
            guard answer.source == nil || answer.source == .own else {
                throw .invalid("/source", "may only be set by the club's staff")
            }
            return .own
        }
        let source = answer.source ?? .operator
        guard source == .operator || source == .paper else {
            throw .invalid("/source", "must be operator or paper; the service sets the others itself")
        }
        return source
    }

    /// When an answer was given.
    private static func time(of answer: ConsentAnswer, by principal: Principal) throws(Problem) -> SQL {
        guard let time = answer.at else { return "now()" }
        guard principal.role == .operator else { throw .invalid("/at", "may only be set by the club's staff") }
        guard time <= .now else { throw .invalid("/at", "is in the future") }
        guard time.day >= DayMeaning.floor else { throw .invalid("/at", "is before \(DayMeaning.floor)") }
        return "\(time)::timestamptz"
    }

    /// The number of a question that is not the standard one.
    static func wording(_ purpose: Purpose, _ text: Prose, in transaction: PostgresTransaction) async throws -> Int? {
        guard text.text.unicodeScalars.count <= 2000 else { throw Problem.invalid("/wording", "is longer than 2000") }
        let row = try await transaction.first(
            """
            insert into consent_wording (purpose, text) values (\(purpose.rawValue), \(text))
            on conflict (purpose, md5(text)) do update set purpose = excluded.purpose
            returning id
            """)
        return try row?["id"]
    }
}
