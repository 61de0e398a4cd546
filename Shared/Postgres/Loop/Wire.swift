import CLibpq
import DequeModule
import Glibc

/// One connection in pipeline mode, with the operations sent on it that have no response yet. Used only on the loop's
/// thread.
@safe
final class Wire {
    let id: UInt64
    let purpose: Purpose
    let handle: ConnectionHandle
    let descriptor: Int32
    let opened: UInt64

    var inFlight = Deque<InFlight>()
    /// Complete, to be delivered by the loop.
    var finished = Deque<InFlight>()
    var statements: StatementCache
    /// The current step of a COPY or script, and its results so far.
    var raw: RawState = .none
    /// When data last arrived from the server.
    var progress: UInt64
    /// The loop must flush it in this iteration.
    var isTouched = false
    /// The lease that holds it.
    var lease: UInt64?
    /// No one waits for its work. It counts until the server has responded; only then may another caller have it.
    var isRetired = false
    /// A cancel request is under way, which could affect whatever is sent next.
    var isBeingCancelled = false
    /// It is closed once its work is complete.
    var isSpoiled = false
    /// The server has not responded within the time limit: nothing more is sent until it does.
    var isSilent = false
    /// The server reports that this session cannot write, because it is a standby or configured so.
    private(set) var isReadOnly = false
    /// The events requested from epoll.
    var interest: UInt32 = 0
    var isWatched = false

    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var types: [Oid] = []
    private var values: [UnsafePointer<CChar>?] = unsafe []

    var connection: OpaquePointer { unsafe handle.pointer }

    init(id: UInt64, purpose: Purpose, handle: ConnectionHandle, cacheSize: Int, now: UInt64) {
        self.id = id
        self.purpose = purpose
        self.handle = handle
        descriptor = unsafe PQsocket(handle.pointer)
        opened = now
        progress = now
        statements = StatementCache(capacity: cacheSize)
        noteRole()
    }

    /// Whether the session is outside any transaction. Meaningful only while nothing is in flight.
    var isIdle: Bool { unsafe inFlight.isEmpty && raw.isNone && PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// Nothing is in progress.
    var isQuiet: Bool { inFlight.isEmpty && raw.isNone }

    /// The work in progress may be committing: cancelling it would only make the outcome unknown.
    var mayBeCommitting: Bool {
        inFlight.contains { $0.operation.commits } || raw.waiting?.operation.commits == true
    }

    func noteRole() { isReadOnly = reports("in_hot_standby") || reports("default_transaction_read_only") }

    private func reports(_ parameter: String) -> Bool {
        guard let value = unsafe PQparameterStatus(connection, parameter) else { return false }
        return unsafe strcmp(value, "on") == 0
    }

    // MARK: - Sending

    enum Sending {
        case sent
        /// The server has refused this statement on a read-only connection before.
        case writes(Operation)
        /// The operation itself cannot be sent; the connection is fine.
        case refused(Operation, PostgresError)
        /// The connection is broken.
        case broken(Operation)
    }

    /// Sends an operation up to its synchronization point.
    func send(_ operation: Operation, now: UInt64) -> Sending {
        guard raw.isNone else { return .refused(operation, .busyCopying) }
        if let error = refusal(operation.statement) ?? operation.more.lazy.compactMap(refusal).first {
            return .refused(operation, error)
        }
        var entry = InFlight(operation: operation, sent: now, controls: operation.controls.count)
        for control in operation.controls {
            guard unsafe PQsendQueryParams(connection, control, 0, nil, nil, nil, nil, 0) == 1 else {
                return .broken(operation)
            }
        }
        guard send(operation.statement, for: &entry) else { return .broken(operation) }
        if entry.writes { return .writes(operation) }
        for statement in operation.more {
            guard send(statement, for: &entry) else { return .broken(operation) }
        }
        guard unsafe clibpq_send_sync(connection) == 1 else { return .broken(operation) }
        if inFlight.isEmpty { progress = now }
        inFlight.append(entry)
        return .sent
    }

    /// libpq takes zero-terminated texts: an embedded zero would truncate a value.
    private func refusal(_ statement: SQL) -> PostgresError? {
        if statement.parameters.count > 65_535 { return .tooManyParameters }
        for parameter in statement.parameters {
            if let text = parameter.text, hasZero(text) { return .zeroInParameter }
        }
        return nil
    }

    private func hasZero(_ text: [UInt8]) -> Bool {
        unsafe text.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe memchr(start, 0, bytes.count) != nil
        }
    }

    private func send(_ statement: SQL, for entry: inout InFlight) -> Bool {
        guard entry.operation.prepares, !statement.isPlannedByValue else {
            return unsafe withValues(statement) { count, values in
                collectTypes(statement)
                return unsafe PQsendQueryParams(
                    connection, statement.text, count, types, values, nil, nil, 0)
            }
        }
        let prepared: StatementCache.Statement
        if let known = statements.find(statement) {
            if known.isWriting {
                entry.writes = true
                return true
            }
            prepared = known
        } else {
            let (new, evicted) = statements.insert(statement)
            if let evicted, !deallocate(evicted, for: &entry) { return false }
            collectTypes(statement)
            guard
                unsafe PQsendPrepare(
                    connection, new.name, statement.text, Int32(statement.parameters.count), types) == 1
            else { return false }
            entry.fresh.append(statement)
            prepared = new
        }
        entry.serial = max(entry.serial, prepared.serial)
        if entry.shape == nil { entry.shape = prepared.shape }
        return unsafe withValues(statement) { count, values in
            unsafe PQsendQueryPrepared(connection, prepared.name, count, values, nil, nil, 0)
        }
    }

    /// Deallocation runs before the operation that needs the room; its result is dropped too.
    private func deallocate(_ statement: StatementCache.Statement, for entry: inout InFlight) -> Bool {
        entry.deallocations += 1
        return unsafe PQsendQueryParams(connection, "deallocate s\(statement.serial)", 0, nil, nil, nil, nil, 0) == 1
    }

    private func collectTypes(_ statement: SQL) {
        types.removeAll(keepingCapacity: true)
        for parameter in statement.parameters { types.append(parameter.type.rawValue) }
    }

    /// Lays out the values one after the other in reused memory, and points to them.
    private func withValues(
        _ statement: SQL, _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?) -> Int32
    ) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        for parameter in statement.parameters {
            if let text = parameter.text {
                offsets.append(bytes.count)
                bytes.append(contentsOf: text)
                bytes.append(0)
            } else {
                offsets.append(-1)
            }
        }
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe values.removeAll(keepingCapacity: true)
            for offset in offsets {
                unsafe values.append(
                    offset < 0 ? nil : bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self))
            }
            return unsafe values.withUnsafeBufferPointer { values in
                unsafe body(Int32(values.count), values.baseAddress) == 1
            }
        }
    }

    /// Flushes the buffer. Nil if the connection is broken, otherwise whether data remains.
    func flush() -> Bool? {
        let outcome = unsafe PQflush(connection)
        return outcome < 0 ? nil : outcome == 1
    }

    // MARK: - Receiving

    /// Reads received data; responses go to `finished`. False if the connection is broken.
    func receive(now: UInt64) -> Bool {
        // One read may leave bytes in the TLS layer, where epoll does not see them: a record of 16 KiB needs a second
        // read.
        let reads = unsafe PQsslInUse(connection) == 0 ? 1 : 3
        for _ in 0..<reads {
            guard unsafe PQconsumeInput(connection) == 1 else { return false }
        }
        progress = now
        isSilent = false
        return raw.isNone ? parse() : true
    }

    /// Reads what the server sent before the connection broke, which a failed write would hide.
    func salvage() {
        guard raw.isNone else { return }
        _ = unsafe PQconsumeInput(connection)
        _ = parse()
    }

    /// Takes the complete results.
    private func parse() -> Bool {
        var nothing = 0
        while unsafe PQisBusy(connection) == 0 {
            guard !inFlight.isEmpty else { break }
            guard let result = unsafe PQgetResult(connection) else {
                // Nil separates statements; twice in a row it means that expected results are missing.
                nothing += 1
                if nothing > 1 { return false }
                continue
            }
            nothing = 0
            guard unsafe accept(unsafe result) else { return false }
        }
        return unsafe PQstatus(connection) == CONNECTION_OK && !handle.isCondemned
    }

    private func accept(_ result: OpaquePointer) -> Bool {
        switch unsafe PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            unsafe PQclear(result)
            if let entry = inFlight.popFirst() { finish(entry) }
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            unsafe inFlight[0].take(result)
        case PGRES_PIPELINE_ABORTED:
            unsafe PQclear(result)
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
            let error = unsafe PostgresError.server(result)
            if inFlight[0].failure == nil {
                inFlight[0].failure = error
                inFlight[0].isStale = unsafe PostgresError.isStaleStatement(error, result)
            }
            unsafe PQclear(result)
        default:
            // COPY in pipeline mode: libpq gives up the connection.
            unsafe PQclear(result)
            return false
        }
        return true
    }

    private func finish(_ entry: InFlight) {
        if entry.failure != nil {
            for statement in entry.fresh.dropFirst(entry.prepared) {
                _ = statements.remove(statement, through: statements.lastSerial)
            }
        }
        if entry.isStale {
            for statement in [entry.operation.statement] + entry.operation.more {
                _ = statements.remove(statement, through: entry.serial)
            }
        }
        finished.append(entry)
    }

    /// The server ended the connection by command (57P01) before responding to the first queued statement. Then none
    /// of the queued statements had any effect: an autocommit statement commits after its response, and those behind
    /// it had not begun.
    var nothingWasDone: Bool {
        guard let first = inFlight.first else { return false }
        return first.failure?.sqlState == SQLState.adminShutdown && first.first == nil
    }

    /// When the oldest pending statement was sent, or last had a partial response.
    var waitingSince: UInt64? {
        if let first = inFlight.first { return max(progress, first.sent) }
        return raw.since.map { max(progress, $0) }
    }
}

extension InFlight {
    /// Keeps a result or drops it: a confirmation of `prepare` has no command tag; results of controls come first.
    mutating func take(_ result: OpaquePointer) {
        let owned = unsafe ResultHandle(unsafe result, shape: first == nil ? shape : nil)
        if owned.isPrepareConfirmation {
            prepared += 1
        } else if controls > 0 {
            controls -= 1
        } else if deallocations > 0, owned.commandTag == "DEALLOCATE" {
            deallocations -= 1
        } else if first == nil {
            first = owned
        } else {
            more.append(owned)
        }
    }
}

extension PostgresError {
    static let busyCopying = PostgresError(.server, message: "the connection is in the middle of a COPY")
    static let busyInFlight = PostgresError(.server, message: "the connection is in the middle of a statement")
}
