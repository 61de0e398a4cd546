import CLibpq
import Glibc

/// Owns a `PGconn`. Only one thread at a time uses it: the connecting thread, then the loop.
@safe
final class ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let condemnation = UnsafeMutablePointer<CInt>.allocate(capacity: 1)

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
        unsafe condemnation.initialize(to: 0)
        unsafe clibpq_watch_notices(pointer, condemnation)
    }

    deinit {
        unsafe PQfinish(pointer)
        unsafe condemnation.deallocate()
    }

    /// The server has announced, outside any request, that it ends this connection.
    var isCondemned: Bool { unsafe condemnation.pointee != 0 }

    /// Connects to one host, in non-blocking pipeline mode. Blocks for at most `limit` nanoseconds, unless the
    /// parameters contain a name that must still be resolved.
    static func connect(
        _ parameters: [String: String], within limit: UInt64
    ) -> Result<ConnectionHandle, PostgresError> {
        guard let pointer = unsafe start(parameters.map { (keyword: $0.key, value: $0.value) }) else {
            return .failure(.notConnected)
        }
        let handle = unsafe ConnectionHandle(unsafe pointer)
        let end = MonotonicClock.now + limit
        guard unsafe PQstatus(pointer) != CONNECTION_BAD else { return .failure(handle.failure()) }
        var status = PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status != PGRES_POLLING_FAILED else { return .failure(handle.failure()) }
            let now = MonotonicClock.now
            guard now < end else {
                return .failure(PostgresError(.connection, message: "connecting took too long"))
            }
            let events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var descriptor = unsafe pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0)
            let ready = unsafe poll(&descriptor, 1, Int32((end - now) / 1_000_000 + 1))
            if ready > 0 { status = unsafe PQconnectPoll(pointer) }
        }
        guard unsafe PQsetnonblocking(pointer, 1) == 0, unsafe PQenterPipelineMode(pointer) == 1 else {
            return .failure(handle.failure())
        }
        return .success(handle)
    }

    /// Before the first attempt.
    private static let library: Void = clibpq_keep_openssl()

    private static func start(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
        _ = library
        let keywords = unsafe parameters.map { unsafe strdup($0.keyword) }
        let values = unsafe parameters.map { unsafe strdup($0.value) }
        defer {
            unsafe (keywords + values).forEach { unsafe free($0) }
        }
        let keywordList = unsafe keywords.map { unsafe UnsafePointer($0) } + [nil]
        let valueList = unsafe values.map { unsafe UnsafePointer($0) } + [nil]
        return unsafe PQconnectStartParams(keywordList, valueList, 0)
    }

    /// Why the connection failed, in libpq's words, which mention only hosts and roles. The server's SQLSTATE is not
    /// available here before libpq 17, so the server's own state is assumed if there is no better reason.
    private func failure() -> PostgresError {
        guard let text = unsafe PQerrorMessage(pointer) else { return .notConnected }
        let lines = unsafe String(cString: text).split(separator: "\n")
        guard let line = lines.last else { return .notConnected }
        return PostgresError(.connection, message: String(line))
    }

    /// Asks the server to cancel the current statement, on a separate thread: the request uses its own connection and
    /// may block for long.
    ///
    /// - Parameter ended: see ``Cancellation/send(_:ended:)``.
    func requestCancel(ended: @escaping @Sendable (Bool) -> Void) {
        guard let cancel = unsafe PQgetCancel(pointer) else { return ended(true) }
        unsafe Cancellation.shared.send(unsafe cancel, ended: ended)
    }
}
