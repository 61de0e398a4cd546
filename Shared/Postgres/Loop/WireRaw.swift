import CLibpq

/// A COPY or a script on a connection, step by step. A caller waits for each step, except `copyingIn` and
/// `copyingOut`.
enum RawState {
    case none
    /// A script is running; the last error and count so far.
    case script(RawOperation, since: UInt64, affected: Int, failure: PostgresError?)
    case copyInStarts(RawOperation, since: UInt64, failure: PostgresError?)
    case copyingIn
    /// libpq has not yet sent all of the data.
    case copyInDrains(RawOperation, since: UInt64)
    case copyOutStarts(RawOperation, since: UInt64, failure: PostgresError?)
    /// No one asks for data, so none is read, which makes the server wait.
    case copyingOut
    case copyOutReads(RawOperation, since: UInt64)
    /// All data was delivered, but not yet the end.
    case copiedOut

    var isNone: Bool { if case .none = self { true } else { false } }

    /// While no one asks for a COPY's data none is read, and epoll would report it continuously.
    var wantsInput: Bool {
        switch self {
        case .copyingOut, .copiedOut: false
        default: true
        }
    }

    var waiting: (operation: RawOperation, since: UInt64)? {
        switch self {
        case .none, .copyingIn, .copyingOut, .copiedOut: nil
        case .script(let operation, let since, _, _): (operation, since)
        case .copyInStarts(let operation, let since, _): (operation, since)
        case .copyInDrains(let operation, let since): (operation, since)
        case .copyOutStarts(let operation, let since, _): (operation, since)
        case .copyOutReads(let operation, let since): (operation, since)
        }
    }

    /// Scripts have no time limit of their own (a migration may build an index), only the task's deadline.
    var since: UInt64? {
        if case .script = self { return nil }
        return waiting?.since
    }
}

extension Wire {
    /// The minimum number of bytes read from a COPY at a time.
    private static let chunk = 64 * 1024

    /// Begins a step. Its reply may come at once or later; false if the connection is broken.
    func begin(_ operation: RawOperation, now: UInt64) -> Bool {
        guard inFlight.isEmpty else {
            operation.promise?.fail(.busyInFlight)
            return true
        }
        progress = now
        switch (operation.request, raw) {
        case (.script(let text), .none):
            raw = .script(operation, since: now, affected: 0, failure: nil)
            return leavePipeline(text)
        case (.copyIn(let text), .none):
            raw = .copyInStarts(operation, since: now, failure: nil)
            return leavePipeline([UInt8](text.utf8))
        case (.copyOut(let text), .none):
            raw = .copyOutStarts(operation, since: now, failure: nil)
            return leavePipeline([UInt8](text.utf8))
        case (.copyData(let data), .copyingIn):
            raw = .copyInDrains(operation, since: now)
            return put(data)
        case (.copyEnd(let abort), .copyingIn):
            raw = .script(operation, since: now, affected: 0, failure: nil)
            return unsafe PQputCopyEnd(connection, abort ? "abandoned by the client" : nil) == 1
        case (.copyRead, .copyingOut):
            raw = .copyOutReads(operation, since: now)
            return true
        case (.copyRead, .copiedOut):
            raw = .script(operation, since: now, affected: 0, failure: nil)
            return true
        default:
            operation.promise?.fail(.busyCopying)
            return true
        }
    }

    private func leavePipeline(_ text: [UInt8]) -> Bool {
        guard unsafe PQexitPipelineMode(connection) == 1 else { return false }
        let terminated = text.map { CChar(bitPattern: $0) } + [0]
        return unsafe PQsendQuery(connection, terminated) == 1
    }

    private func put(_ data: [UInt8]) -> Bool {
        unsafe data.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe PQputCopyData(connection, start.assumingMemoryBound(to: CChar.self), Int32(bytes.count)) == 1
        }
    }

    /// libpq has sent all of its data.
    func drained() {
        guard case .copyInDrains(let operation, _) = raw else { return }
        raw = .copyingIn
        operation.promise?.succeed(.ready)
    }

    /// Continues a step after data has arrived. False if the connection is broken.
    func advance() -> Bool {
        while true {
            if isRetired, !endCopy() { return false }
            switch raw {
            case .none, .copyingIn, .copyInDrains, .copyingOut, .copiedOut: return true
            case .copyOutReads(let operation, _):
                guard let goesOn = readCopy(operation) else { return false }
                if case .copyOutReads = raw { return true }
                if !goesOn && !isRetired { return true }
            case .script, .copyInStarts, .copyOutStarts:
                guard unsafe PQisBusy(connection) == 0 else { return true }
                if let result = unsafe PQgetResult(connection) {
                    guard unsafe take(unsafe result) else { return false }
                } else {
                    return ended()
                }
            }
        }
    }

    private func take(_ result: OpaquePointer) -> Bool {
        let status = unsafe PQresultStatus(result)
        let handle = unsafe ResultHandle(unsafe result)
        switch (raw, status) {
        case (.copyInStarts(let operation, _, nil), PGRES_COPY_IN):
            raw = .copyingIn
            operation.promise?.succeed(.ready)
        case (.copyOutStarts(let operation, _, nil), PGRES_COPY_OUT):
            raw = .copyingOut
            operation.promise?.succeed(.ready)
        case (_, PGRES_COPY_IN), (_, PGRES_COPY_OUT), (_, PGRES_COPY_BOTH):
            return false
        case (_, PGRES_FATAL_ERROR), (_, PGRES_BAD_RESPONSE):
            fail(unsafe PostgresError.server(result))
        case (.script(let operation, let since, _, let failure), _):
            raw = .script(operation, since: since, affected: handle.affected, failure: failure)
        default:
            break
        }
        return true
    }

    private func fail(_ error: PostgresError) {
        switch raw {
        case .script(let operation, let since, let affected, let earlier):
            raw = .script(operation, since: since, affected: affected, failure: earlier ?? error)
        case .copyInStarts(let operation, let since, let earlier):
            raw = .copyInStarts(operation, since: since, failure: earlier ?? error)
        case .copyOutStarts(let operation, let since, let earlier):
            raw = .copyOutStarts(operation, since: since, failure: earlier ?? error)
        default: break
        }
    }

    /// The last result has been taken: returns to pipeline mode.
    private func ended() -> Bool {
        let ended = raw
        raw = .none
        guard unsafe PQenterPipelineMode(connection) == 1 else {
            raw = ended
            return false
        }
        switch ended {
        case .script(let operation, _, let affected, nil):
            operation.promise?.succeed(.done(affected: affected))
        case .script(let operation, _, _, let failure?), .copyInStarts(let operation, _, let failure?),
            .copyOutStarts(let operation, _, let failure?):
            operation.promise?.fail(failure)
        case .copyInStarts(let operation, _, nil), .copyOutStarts(let operation, _, nil):
            let error = PostgresError(.server, message: "the statement is not a COPY in this direction")
            operation.promise?.fail(error)
        case .none, .copyingIn, .copyInDrains, .copyingOut, .copyOutReads, .copiedOut: break
        }
        return true
    }

    /// The COPY was abandoned: a copy in is aborted, the data of a copy out is read and dropped, until the
    /// server has responded. False if the connection is broken.
    private func endCopy() -> Bool {
        switch raw {
        case .copyingIn, .copyInDrains:
            raw = .script(abandonedOperation, since: progress, affected: 0, failure: nil)
            return unsafe PQputCopyEnd(connection, "abandoned by the client") == 1
        case .copyingOut: raw = .copyOutReads(abandonedOperation, since: progress)
        case .copiedOut: raw = .script(abandonedOperation, since: progress, affected: 0, failure: nil)
        default: break
        }
        return true
    }

    private var abandonedOperation: RawOperation {
        RawOperation(id: 0, request: .copyRead, commits: false, patience: Patience(loop: 0, limit: .max), promise: nil)
    }

    /// Fails the caller that waits for the current step; the step itself goes on.
    func abandonRaw(_ error: PostgresError) {
        guard var operation = raw.waiting?.operation, let promise = operation.promise else { return }
        operation.promise = nil
        switch raw {
        case .script(_, let since, let affected, let failure):
            raw = .script(operation, since: since, affected: affected, failure: failure)
        case .copyInStarts(_, let since, let failure):
            raw = .copyInStarts(operation, since: since, failure: failure)
        case .copyOutStarts(_, let since, let failure):
            raw = .copyOutStarts(operation, since: since, failure: failure)
        case .copyInDrains(_, let since): raw = .copyInDrains(operation, since: since)
        case .copyOutReads(_, let since): raw = .copyOutReads(operation, since: since)
        case .none, .copyingIn, .copyingOut, .copiedOut: break
        }
        promise.fail(operation.commits ? error.withUnknownOutcome : error)
    }

    /// Collects received data. Nil if the connection is broken, otherwise whether the COPY has ended.
    private func readCopy(_ operation: RawOperation) -> Bool? {
        var data: [UInt8] = []
        var hasEnded = false
        while data.count < Wire.chunk && !hasEnded {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = unsafe PQgetCopyData(connection, &buffer, 1)
            if count == -2 { return nil }
            if count == 0 { break }
            hasEnded = count == -1
            guard count > 0, let start = unsafe buffer else { continue }
            unsafe data.append(contentsOf: UnsafeRawBufferPointer(start: start, count: Int(count)))
            unsafe PQfreemem(buffer)
        }
        if data.isEmpty {
            if hasEnded { raw = .script(operation, since: progress, affected: 0, failure: nil) }
            return hasEnded
        }
        raw = hasEnded ? .copiedOut : .copyingOut
        operation.promise?.succeed(.data(data))
        return false
    }
}
