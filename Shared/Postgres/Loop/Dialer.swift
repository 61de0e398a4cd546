import Synchronization

/// Finds the server among the hosts of a URL: in turn, each with a limit of its own, so that one that is silent keeps nobody from the
/// next one. The host that was right last is asked first.
///
/// libpq could go through the hosts itself; but it resolves their names in a way that blocks for as long as the name service likes,
/// and it has no limit for each of them where the caller does the waiting.
final class Dialer: Sendable {
    private let configuration: PostgresConfiguration
    private let hosts: [PostgresHost]
    private let book: AddressBook
    private let state: Mutex<State>

    private struct State {
        /// The host that was right last, by its place in the URL.
        var lastGood = 0
        /// How many attempts wait for each host now.
        var waiting: [Int]
    }

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        hosts = configuration.hosts()
        book = AddressBook(configuration.resolve)
        state = Mutex(State(waiting: hosts.map { _ in 0 }))
    }

    /// Connects. Blocks, for `connectTimeout` for each address and each name at the most.
    ///
    /// - Parameter isCompanion: whether it is begun beside a slow attempt: then it begins where the fewest wait.
    func connect(for purpose: Purpose, isCompanion: Bool) -> Result<ConnectionHandle, PostgresError> {
        let readsOnly = if case .shared = purpose { true } else { false }
        var parameters = configuration.connectionParameters(readsOnly: readsOnly)
        var failure = PostgresError.notConnected
        for server in configuration.wantedServers(readsOnly: readsOnly) {
            parameters["target_session_attrs"] = server
            var left = order()
            while !left.isEmpty {
                let index = take(from: &left, wherePossibleFree: isCompanion)
                let outcome = connect(to: hosts[index], parameters, isCompanion: isCompanion)
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

    /// The host that was right last, and those after it.
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
        var parameters = parameters
        parameters["host"] = host.name
        parameters["hostaddr"] = host.address
        parameters["port"] = host.port
        guard let name = host.nameToResolve else { return ConnectionHandle.connect(parameters, within: limit) }
        let addresses = book.addresses(of: name, within: limit)
        guard !addresses.isEmpty else {
            return .failure(PostgresError(.connection, message: "the database's host has no address that is known"))
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
        // It may have moved.
        book.refresh(name)
        return .failure(failure)
    }
}
