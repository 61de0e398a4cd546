import Logging
import Synchronization

/// Whether connections for writes are available.
enum WriteState: Int, Sendable {
    /// None are open.
    case closed
    /// None have a server that accepts writes.
    case readOnly
    case open
}

/// The only thread that talks to the server, and the interface to it.
final class Loop: Sendable {
    let configuration: PostgresConfiguration
    let logger: Logger
    let metrics = ClientMetrics()
    let mailbox = Mailbox()
    /// When the oldest commit in progress began to wait for its response; `.max` if none does.
    let commitsSince = Atomic<UInt64>(.max)
    /// A ``WriteState``.
    let writes = Atomic<Int>(WriteState.closed.rawValue)
    /// Whether the minimum number of connections has ever been open.
    let isWarm = Atomic<Bool>(false)
    private let started = Atomic<Bool>(false)
    private let identifiers = Atomic<UInt64>(0)

    /// The client's time limit for a response, in nanoseconds: the server should have cancelled the statement by
    /// then.
    let answerLimit: UInt64
    let acquireLimit: UInt64
    /// After this, a connection attempt gets another one in parallel.
    let companionDelay: UInt64
    let dialer: Dialer
    /// Whether there are other hosts to use instead of a silent server.
    let hasOtherHosts: Bool

    init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        answerLimit = configuration.statementTimeout.wholeNanoseconds + 1_000_000_000
        acquireLimit = configuration.acquireTimeout.wholeNanoseconds
        companionDelay = configuration.companionDelay.wholeNanoseconds
        dialer = Dialer(configuration)
        hasOtherHosts = configuration.hosts().count > 1
    }

    /// Starts the thread on first use.
    func start() {
        guard !started.load(ordering: .relaxed),
            !started.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        BackgroundThread.start("postgres") { [self] in Core(self).run() }
    }

    /// Whether the thread has been started.
    var wasStarted: Bool { started.load(ordering: .acquiring) }

    func nextIdentifier() -> UInt64 {
        identifiers.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Sends a command to the loop and waits for its result. Cancelling the task abandons it.
    func perform<Value: Sendable>(
        _ id: UInt64, shielded: Bool = false, _ command: (Promise<Value>) -> Command
    ) async throws -> Value {
        start()
        if shielded {
            return try await Promise.wait { mailbox.post(command($0)) }
        }
        return try await withTaskCancellationHandler {
            if Task.isCancelled { throw PostgresError.taskCancelled }
            return try await Promise.wait { promise in
                mailbox.post(command(promise))
                // The cancellation handler may have run before the command was in the mailbox.
                if Task.isCancelled { mailbox.post(.abandon(id)) }
            }
        } onCancel: {
            mailbox.post(.abandon(id))
        }
    }
}
