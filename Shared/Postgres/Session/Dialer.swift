import NIOCore
import Synchronization

/// Finds the server among the hosts of a URL. Tries them in turn, each with its own time limit, so that a silent host
/// does not block the next one. The host that last succeeded is tried first.
final class Dialer: Sendable {
    private let configuration: PostgresConfiguration
    private let hosts: [PostgresHost]
    private let book: AddressBook
    private let plans = TLSPlanCache()
    private let state: Mutex<State>

    private struct State {
        /// The index in the URL of the host that last succeeded.
        var lastGood = 0
        /// The number of attempts now waiting for each host.
        var waiting: [Int]
    }

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        hosts = configuration.hosts
        book = AddressBook(configuration.resolve)
        state = Mutex(State(waiting: hosts.map { _ in 0 }))
    }

    /// Opens a session, within `connectTimeout` for each address and each name.
    ///
    /// - Parameters:
    ///   - isCompanion: whether it runs in parallel with a slow attempt: then it starts with the host that the fewest
    ///     attempts wait for.
    ///   - eventLoop: the event loop of the session's channel.
    func connect(
        for purpose: Purpose, isCompanion: Bool, on eventLoop: any EventLoop
    ) async -> Result<Session, PostgresError> {
        let readsOnly = if case .shared = purpose { true } else { false }
        var failure = PostgresError.notConnected
        for wanted in configuration.wantedServers(readsOnly: readsOnly) {
            var left = order()
            while !left.isEmpty {
                let index = take(from: &left, wherePossibleFree: isCompanion)
                let parameters = configuration.session(for: hosts[index], readsOnly: readsOnly)
                let turn = Turn(
                    parameters: parameters, wanted: wanted, isCompanion: isCompanion, eventLoop: eventLoop)
                let outcome = await connect(to: hosts[index], turn)
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

    /// What is tried with one host.
    private struct Turn {
        let parameters: SessionParameters
        let wanted: WantedServer
        let isCompanion: Bool
        let eventLoop: any EventLoop
    }

    private func connect(to host: PostgresHost, _ turn: Turn) async -> Result<Session, PostgresError> {
        guard let name = host.nameToResolve else { return await connect(to: host, at: nil, turn) }
        let limit = configuration.connectTimeout.wholeNanoseconds
        let addresses = await book.addresses(of: name, within: limit, on: turn.eventLoop)
        guard !addresses.isEmpty else {
            return .failure(.noSession("the database's host has no known address (\(name))"))
        }
        var failure = PostgresError.notConnected
        let start = turn.isCompanion ? 1 % addresses.count : 0
        for address in addresses[start...] + addresses[..<start] {
            switch await connect(to: host, at: address, turn) {
            case .success(let session): return .success(session)
            case .failure(let error): failure = error
            }
        }
        // The host may have moved.
        book.refresh(name)
        return .failure(failure)
    }

    /// - Parameter address: one of those of the host's name; nil if the host has none.
    private func connect(
        to host: PostgresHost, at address: String?, _ turn: Turn
    ) async -> Result<Session, PostgresError> {
        guard let target = host.socketAddress(address) else {
            return .failure(.noSession("the database's host is not an address (\(host.place(address)))"))
        }
        let limit = Int64(clamping: configuration.connectTimeout.wholeNanoseconds)
        let outcome = await SessionAttempt(
            parameters: turn.parameters, hostName: host.name, address: target, wanted: turn.wanted,
            deadline: .now() + .nanoseconds(limit), plans: plans
        ).open(on: turn.eventLoop)
        return outcome.mapError { error in
            var error = error
            error.message += " (\(host.place(address)))"
            return error
        }
    }
}

extension PostgresHost {
    /// - Parameter resolved: one of the addresses of its name.
    fileprivate func socketAddress(_ resolved: String?) -> SocketAddress? {
        if let socketPath { return try? SocketAddress(unixDomainSocketPath: Self.systemPath(socketPath)) }
        guard let number = resolved ?? address ?? name else { return nil }
        return try? SocketAddress(ipAddress: number, port: port)
    }

    /// A name in the abstract namespace begins with a zero byte.
    private static func systemPath(_ path: String) -> String {
        path.utf8.first == UInt8(ascii: "@") ? "\0\(path.dropFirst())" : path
    }

    /// As errors have it.
    fileprivate func place(_ resolved: String?) -> String {
        if let socketPath { return socketPath }
        let known = [name, resolved ?? address].compactMap { $0 }.joined(separator: " at ")
        return "\(known), port \(port)"
    }
}
