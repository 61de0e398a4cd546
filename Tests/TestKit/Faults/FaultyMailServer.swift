import NIOCore
import NIOPosix
import Synchronization

/// An SMTP server on loopback with PIPELINING (RFC 2920) that misbehaves at random, and records what it has accepted.
///
/// ``ScriptedMailServer`` does one thing wrong at a time, as a test tells it to; this one does everything wrong, for
/// thousands of messages a second.
package final class FaultyMailServer: Sendable {
    /// A message that it has accepted, whether it said so or not.
    package struct Message: Sendable {
        /// The value of Message-ID, without its brackets.
        package var id: String
        package var recipient: String
        /// The number of its connection, from 1.
        package var connection: Int
        package var time: ContinuousClock.Instant
    }

    package struct Record: Sendable {
        package fileprivate(set) var accepted: [Message] = []
        package fileprivate(set) var faults: [MailFault: Int] = [:]
        /// How many faults left a client that cannot know whether its message was accepted: it had sent the text,
        /// completely or in part, and got no answer, or none that was certain to reach it.
        package fileprivate(set) var doubts = 0
        /// How many connections there were, those greeted with 421 included.
        package fileprivate(set) var connections = 0
        /// The most connections that were open at once.
        package fileprivate(set) var mostConnections = 0
        /// The most connections that were open at once for mails to a domain. A connection is for the domain of its
        /// latest recipient.
        package fileprivate(set) var mostConnectionsByDomain: [String: Int] = [:]
        /// The most texts for a domain that came over one connection.
        package fileprivate(set) var mostTextsByDomain: [String: Int] = [:]
    }

    private struct State {
        var record = Record()
        var listener: (any Channel)?
        var isCalm = false
        /// The open connections by their numbers, and the domains they are for.
        var open: [Int: any Channel] = [:]
        var domains: [Int: String] = [:]
        var connectionsByDomain: [String: Int] = [:]
        var attempts: [String: Int] = [:]

        mutating func leave(_ connection: Int) {
            if let domain = domains.removeValue(forKey: connection) { connectionsByDomain[domain, default: 0] -= 1 }
        }
    }

    /// What connections are told while they wait for the client.
    enum Order: Sendable {
        /// The server goes down.
        case close
        /// Faults are over: a connection that would never be answered is closed.
        case closeIfStalled
    }

    package let port: Int
    private let plan: MailFaultPlan
    /// One event loop for all connections: what happens on them happens in an order.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())

    private init(_ plan: MailFaultPlan) throws {
        self.plan = plan
        port = try FreePort.next()
    }

    /// Runs a server while `body` runs.
    package nonisolated(nonsending) static func run<Result>(
        _ plan: MailFaultPlan = MailFaultPlan(), _ body: (FaultyMailServer) async throws -> Result
    ) async throws -> Result {
        let server = try FaultyMailServer(plan)
        do {
            try await server.goUp()
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try? await server.stop()
            throw error
        }
    }

    private func stop() async throws {
        try await goDown()
        try await group.shutdownGracefully()
    }

    package var record: Record { state.withLock { $0.record } }

    // MARK: Up and down

    /// Accepts connections, at first and after ``goDown()``.
    package func goUp() async throws {
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MailConversation(with: self))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        state.withLock { $0.listener = listener }
    }

    /// Closes the port and all connections, until ``goUp()``.
    package func goDown() async throws {
        let (listener, open) = state.withLock { state in
            defer { state.listener = nil }
            return (state.listener, state.open.values)
        }
        try await listener?.close()
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(Order.close) }
        for channel in open { try await channel.closeFuture.get() }
    }

    /// Ends all faults, so that what is being sent can end.
    package func calmDown() {
        let open = state.withLock { state in
            state.isCalm = true
            return state.open.values
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(Order.closeIfStalled) }
    }

    // MARK: What its connections report and ask

    /// Adds a connection; nil if the server has gone down meanwhile.
    func enter(_ channel: any Channel) -> (number: Int, isBusy: Bool)? {
        state.withLock { state in
            guard state.listener != nil else { return nil }
            state.record.connections += 1
            let number = state.record.connections
            state.open[number] = channel
            state.record.mostConnections = max(state.record.mostConnections, state.open.count)
            return (number, !state.isCalm && plan.isBusy(at: number))
        }
    }

    func leave(_ connection: Int) {
        state.withLock { state in
            state.open[connection] = nil
            state.leave(connection)
        }
    }

    /// What goes wrong with the next attempt to mail a recipient, and whether a stall waits until DATA.
    func attempt(
        _ recipient: String, at domain: String, on connection: Int
    ) -> (fault: MailFault?, stallsAtData: Bool) {
        let (attempt, isCalm) = state.withLock { state in
            if state.domains[connection] != domain {
                state.leave(connection)
                state.domains[connection] = domain
                state.connectionsByDomain[domain, default: 0] += 1
                state.record.mostConnectionsByDomain[domain] = max(
                    state.record.mostConnectionsByDomain[domain] ?? 0, state.connectionsByDomain[domain] ?? 0)
            }
            state.attempts[recipient, default: 0] += 1
            return (state.attempts[recipient] ?? 1, state.isCalm)
        }
        guard !isCalm, let fault = plan.fault(of: attempt, for: recipient, at: domain) else { return (nil, false) }
        return (fault, fault == .stallAtCommand && plan.stallsAtData(attempt, for: recipient))
    }

    func note(_ fault: MailFault, leavesDoubt: Bool) {
        state.withLock { state in
            state.record.faults[fault, default: 0] += 1
            if leavesDoubt { state.record.doubts += 1 }
        }
    }

    /// - Parameter number: of texts for this domain on this connection, from 1.
    func noteText(_ number: Int, for domain: String) {
        state.withLock { state in
            state.record.mostTextsByDomain[domain] = max(state.record.mostTextsByDomain[domain] ?? 0, number)
        }
    }

    func accept(_ message: Message) {
        state.withLock { $0.record.accepted.append(message) }
    }
}
