import DequeModule
import NIOCore

/// What the server sends.
extension Wire {
    /// Processes received data; responses go to `finished`. False if the connection is broken.
    func receive(_ data: ByteBuffer) -> Bool {
        progress = owner.now
        var buffer = data
        if var beginning = incoming {
            // The only reference to it, so that it grows instead of being copied each time.
            incoming = nil
            beginning.writeBuffer(&buffer)
            buffer = beginning
        }
        while buffer.readableBytes >= BackendMessage.headerBytes {
            let start = buffer.readerIndex
            guard let kind = buffer.getInteger(at: start, as: UInt8.self),
                let length = buffer.getInteger(at: start + 1, as: UInt32.self), length >= 4,
                length <= BackendMessage.longest
            else { return false }
            guard buffer.readableBytes > length else { break }
            do throws(ProtocolViolation) {
                guard try take(kind, buffer, at: start + 5, length: Int(length) - 4) else { return false }
            } catch {
                return false
            }
            buffer.moveReaderIndex(forwardBy: Int(length) + 1)
        }
        if buffer.readableBytes > 0 {
            buffer.discardReadBytes()
            incoming = buffer
        }
        return true
    }

    /// Processes one message. False if the server has ended the connection.
    private func take(
        _ kind: UInt8, _ buffer: ByteBuffer, at start: Int, length: Int
    ) throws(ProtocolViolation) -> Bool {
        switch kind {
        case BackendMessage.dataRow:
            guard let description else { throw ProtocolViolation() }
            try rows.append(buffer, at: start, length: length, columns: description.columns.count)
        case BackendMessage.bindComplete:
            guard let first = inFlight.first else { throw ProtocolViolation() }
            let columns = first.running?.description ?? .empty
            description = columns
            rows.reserve(for: columns)
        case BackendMessage.commandComplete, BackendMessage.emptyQuery:
            try endResult(tag: buffer.getString(at: start, length: max(0, length - 1)) ?? "")
        case BackendMessage.ready:
            guard let state = buffer.getInteger(at: start, as: UInt8.self) else { throw ProtocolViolation() }
            try endOperation(state)
        case BackendMessage.rowDescription: try describe(RowDescription(slice(buffer, start, length)))
        case BackendMessage.noData: try describe(.empty)
        // Before the columns of a prepared statement, not before those of a portal.
        case BackendMessage.parameterDescription: describesStatement = true
        case BackendMessage.parseComplete, BackendMessage.closeComplete, BackendMessage.notice: break
        case BackendMessage.error: return try fail(slice(buffer, start, length))
        case BackendMessage.notification: try notified(slice(buffer, start, length))
        case BackendMessage.parameterStatus:
            var content = slice(buffer, start, length)
            guard let name = content.readNullTerminatedString(), let value = content.readNullTerminatedString()
            else { throw ProtocolViolation() }
            noteParameter(name, value)
        // Among them COPY, which this client does not speak.
        default: throw ProtocolViolation()
        }
        return true
    }

    private func slice(_ buffer: ByteBuffer, _ start: Int, _ length: Int) -> ByteBuffer {
        buffer.getSlice(at: start, length: length) ?? ByteBuffer()
    }

    /// The columns of a prepared statement, or of what is running.
    private func describe(_ columns: RowDescription) throws(ProtocolViolation) {
        guard describesStatement else {
            description = columns
            return
        }
        describesStatement = false
        guard let entry = inFlight.first, entry.prepared < entry.fresh.count else { throw ProtocolViolation() }
        entry.fresh[entry.prepared].prepared.description = columns
        entry.prepared += 1
    }

    private func endResult(tag: String) throws(ProtocolViolation) {
        guard let entry = inFlight.first else { throw ProtocolViolation() }
        if entry.controls > 0 {
            entry.controls -= 1
        } else {
            description?.note(rows)
            entry.results.append(QueryResult(description ?? .empty, rows, commandTag: tag))
        }
        rows = RowBuffer()
        description = nil
        if !entry.isLastOfGroup { finishFirst() }
    }

    /// A statement failed. False if the server ends the connection outside of any request.
    private func fail(_ content: ByteBuffer) throws(ProtocolViolation) -> Bool {
        guard let fields = ErrorFields(reading: content) else { throw ProtocolViolation() }
        rows = RowBuffer()
        description = nil
        describesStatement = false
        guard let entry = inFlight.first else { return !fields.endsSession }
        if entry.failure == nil {
            entry.failure = PostgresError.server(fields)
            entry.isStale = entry.serial > 0 && PostgresError.isStaleStatement(fields)
        }
        return true
    }

    private func endOperation(_ state: UInt8) throws(ProtocolViolation) {
        guard let entry = inFlight.first else { throw ProtocolViolation() }
        status = state
        finishFirst()
        if entry.failure != nil { forgetStatements(of: entry) }
        if !entry.isLastOfGroup {
            guard entry.failure != nil else { throw ProtocolViolation() }
            skipGroup()
        }
        groupBegan = owner.now
    }

    private func finishFirst() {
        guard let entry = inFlight.popFirst() else { return }
        entry.first?.isQuick = entry.failure == nil && owner.now < max(groupBegan, entry.sent) + Self.quickLimit
        finished.append(entry)
    }

    /// The server has ignored the rest of a group after a failure.
    private func skipGroup() {
        while let entry = inFlight.popFirst() {
            entry.wasIgnored = true
            finished.append(entry)
            if entry.isLastOfGroup { break }
        }
    }

    /// The server ignored what followed the failure, so it may still have the statements that were to be closed, and
    /// may not have those that were to be prepared. Closing one that it does not have is no error.
    private func forgetStatements(of entry: InFlight) {
        unclosed += entry.evicted
        for fresh in entry.fresh.dropFirst(entry.prepared) { forget(fresh.statement, through: fresh.prepared.serial) }
        guard entry.isStale else { return }
        for statement in [entry.operation.statement] + entry.operation.more { forget(statement, through: entry.serial) }
    }

    private func forget(_ statement: SQL, through serial: Int) {
        if let known = statements.remove(statement, through: serial) { unclosed.append(known.name) }
    }

    private func notified(_ content: ByteBuffer) throws(ProtocolViolation) {
        var content = content
        // The identifier of the session that notifies.
        guard content.readInteger(as: UInt32.self) != nil, let channel = content.readNullTerminatedString(),
            let payload = content.readNullTerminatedString()
        else { throw ProtocolViolation() }
        notifications.append(.message(channel: channel, payload: payload))
    }

    func noteParameter(_ name: String, _ value: String) {
        guard name == "in_hot_standby" || name == "default_transaction_read_only" else { return }
        if value == "on" { readOnlyReasons.insert(name) } else { readOnlyReasons.remove(name) }
    }
}
