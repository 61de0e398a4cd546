import Synchronization

/// Finds the server among the hosts of a URL. Tries them in turn, each with its own time limit, so that a silent host
/// does not block the next one. The host that last succeeded is tried first.
///
/// libpq could try the hosts itself, but its name resolution blocks without a limit, and in non-blocking use it has
/// no time limit per host.
final class Dialer: Sendable {
    private let configuration: PostgresConfiguration
    private let hosts: [PostgresHost]
    private let book: AddressBook
    private let state: Mutex<State>

    private struct State {
        /// The index in the URL of the host that last succeeded.
        var lastGood = 0
        /// The number of attempts now waiting for each host.
        var waiting: [Int]
    }

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        hosts = configuration.hosts()
        book = AddressBook(configuration.resolve)
        state = Mutex(State(waiting: hosts.map { _ in 0 }))
    }

    /// Connects. Blocks for at most `connectTimeout` for each address and each name.
    ///
    /// - Parameter isCompanion: whether it runs in parallel with a slow attempt: then it starts with the host that
    ///   the fewest attempts wait for.
    func connect(for purpose: Purpose, isCompanion: Bool) -> Result<ConnectionHandle, PostgresError> {
        let readsOnly = if case .shared = purpose { true } else { false }
        var failure = PostgresError.notConnected
        for server in configuration.wantedServers(readsOnly: readsOnly) {
            var left = order()
            while !left.isEmpty {
                let index = take(from: &left, wherePossibleFree: isCompanion)
                let host = hosts[index]
                var parameters = configuration.session(for: host, readsOnly: readsOnly).libpqKeywords(for: host)
                parameters["target_session_attrs"] = server
                let outcome = connect(to: host, parameters, isCompanion: isCompanion)
                state.withLock { state in
                    state.waiting[index] -= 1
                    if case .success = outcome { state.lastGood = index }
                }
                switch outcome {
                case .success: return outcome
                case .failure(let error): failure = error
                }
            }
        }
        return .failure(failure)
    }

    /// The host that last succeeded, then those after it.
    private func order() -> [Int] {
        let first = state.withLock { $0.lastGood }
        return hosts.indices.map { (first + $0) % hosts.count }
    }

    private func take(from left: inout [Int], wherePossibleFree: Bool) -> Int {
        state.withLock { state in
            let fewest = left.map { state.waiting[$0] }.min()
            let place = wherePossibleFree ? left.firstIndex { state.waiting[$0] == fewest } : nil
            let index = left.remove(at: place ?? left.startIndex)
            state.waiting[index] += 1
            return index
        }
    }

    private func connect(
        to host: PostgresHost, _ parameters: [String: String], isCompanion: Bool
    ) -> Result<ConnectionHandle, PostgresError> {
        let limit = configuration.connectTimeout.wholeNanoseconds
        guard let name = host.nameToResolve else { return ConnectionHandle.connect(parameters, within: limit) }
        var parameters = parameters
        let addresses = book.addresses(of: name, within: limit)
        guard !addresses.isEmpty else {
            return .failure(PostgresError(.connection, message: "the database's host has no known address"))
        }
        var failure = PostgresError.notConnected
        let start = isCompanion ? 1 % addresses.count : 0
        for address in addresses[start...] + addresses[..<start] {
            parameters["hostaddr"] = address
            switch ConnectionHandle.connect(parameters, within: limit) {
            case .success(let handle): return .success(handle)
            case .failure(let error): failure = error
            }
        }
        // The host may have moved.
        book.refresh(name)
        return .failure(failure)
    }
}
