import DequeModule
import Synchronization

/// COPY in its text format (PostgreSQL documentation, `COPY`, "Text Format").
struct Copy: Sendable {
    let lease: Lease
    private static let chunk = 64 * 1024

    // MARK: - In

    nonisolated(nonsending) func write<Source: AsyncSequence>(_ sql: SQL, _ rows: Source) async throws -> Int
    where Source.Element == [String?] {
        try await begin(sql)
        var buffer: [UInt8] = []
        do {
            for try await row in rows {
                Copy.append(row, to: &buffer)
                try await send(&buffer, atLeast: Copy.chunk)
            }
        } catch {
            try await abort(because: error)
        }
        return try await end(&buffer)
    }

    nonisolated(nonsending) func write(_ sql: SQL, _ rows: some Sequence<[String?]>) async throws -> Int {
        try await begin(sql)
        var buffer: [UInt8] = []
        for row in rows {
            Copy.append(row, to: &buffer)
            try await send(&buffer, atLeast: Copy.chunk)
        }
        return try await end(&buffer)
    }

    private func begin(_ sql: SQL) async throws {
        try await lease.sendOpening()
        _ = try await lease.raw(.copyIn(try Copy.text(of: sql)))
    }

    private func send(_ buffer: inout [UInt8], atLeast size: Int) async throws {
        guard buffer.count >= size, !buffer.isEmpty else { return }
        _ = try await lease.raw(.copyData(buffer))
        buffer.removeAll(keepingCapacity: true)
    }

    private func end(_ buffer: inout [UInt8]) async throws -> Int {
        try await send(&buffer, atLeast: 1)
        guard case .done(let affected) = try await lease.raw(.copyEnd(abort: false)) else { return 0 }
        return affected
    }

    /// The source of rows failed: makes the server discard the rows it has, and rethrows the reason.
    private func abort(because reason: any Error) async throws {
        _ = try? await lease.raw(.copyEnd(abort: true))
        throw reason
    }

    private static func append(_ row: [String?], to buffer: inout [UInt8]) {
        for (index, column) in row.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: "\t")) }
            guard let column else {
                buffer.append(contentsOf: "\\N".utf8)
                continue
            }
            for byte in column.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): buffer.append(contentsOf: "\\\\".utf8)
                case UInt8(ascii: "\n"): buffer.append(contentsOf: "\\n".utf8)
                case UInt8(ascii: "\r"): buffer.append(contentsOf: "\\r".utf8)
                case UInt8(ascii: "\t"): buffer.append(contentsOf: "\\t".utf8)
                default: buffer.append(byte)
                }
            }
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    /// The server does not plan a COPY statement, so it cannot have bound parameters.
    private static func text(of sql: SQL) throws -> String {
        guard sql.parameters.isEmpty else {
            throw PostgresError(.server, sqlState: "0A000", message: "COPY takes no parameters")
        }
        return sql.text
    }

    // MARK: - Out

    func read(_ sql: SQL) -> AsyncThrowingStream<[UInt8], any Error> {
        let lines = Lines(lease: lease, sql: sql)
        return AsyncThrowingStream { try await lines.next() }
    }

    /// Splits the incoming data into lines. Like a stream, it has one reader at a time.
    private final class Lines: Sendable {
        private struct State {
            var isOpen = false
            var hasEnded = false
            var lines: Deque<[UInt8]> = []
            var rest: [UInt8] = []
        }

        private let lease: Lease
        private let sql: SQL
        private let state = Mutex(State())

        init(lease: Lease, sql: SQL) {
            self.lease = lease
            self.sql = sql
        }

        func next() async throws -> [UInt8]? {
            if state.withLock({ !$0.isOpen }) {
                try await lease.sendOpening()
                _ = try await lease.raw(.copyOut(try Copy.text(of: sql)))
                state.withLock { $0.isOpen = true }
            }
            while true {
                let (line, hasEnded) = state.withLock { ($0.lines.popFirst(), $0.hasEnded) }
                if let line { return line }
                if hasEnded { return nil }
                switch try await lease.raw(.copyRead) {
                case .data(let data): state.withLock { Lines.cut(data, &$0) }
                case .done, .ready: state.withLock { $0.hasEnded = true }
                }
            }
        }

        private static func cut(_ data: [UInt8], _ state: inout State) {
            for part in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
                if part.offset > 0 {
                    state.lines.append(state.rest)
                    state.rest = []
                }
                state.rest.append(contentsOf: part.element)
            }
        }
    }
}
