import Logging
import Synchronization

/// What connections there are for what writes.
enum WriteState: Int, Sendable {
    /// None.
    case closed
    /// None whose server takes writes.
    case readOnly
    case open
}

/// The one thread that talks to the server, and how to reach it.
final class Loop: Sendable {
    let configuration: PostgresConfiguration
    let logger: Logger
    let metrics = ClientMetrics()
    let mailbox = Mailbox()
    /// Since when the oldest commit has been waiting for its answer; `.max` while none is.
    let commitsSince = Atomic<UInt64>(.max)
    /// A ``WriteState``.
    let writes = Atomic<Int>(WriteState.closed.rawValue)
    /// The connections that are always to be there were so once.
    let isWarm = Atomic<Bool>(false)
    private let started = Atomic<Bool>(false)
    private let identifiers = Atomic<UInt64>(0)

    /// What the client itself waits for an answer at most, in nanoseconds: the server would have cancelled the statement by then.
    let answerLimit: UInt64
    let acquireLimit: UInt64
    /// After this an attempt to connect gets another one beside it.
    let companionDelay: UInt64
    let dialer: Dialer
    /// Whether a server that is silent may be left for another one.
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

    /// Starts the thread, the first time.
    func start() {
        guard !started.load(ordering: .relaxed),
            !started.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        BackgroundThread.start("postgres") { [self] in Core(self).run() }
    }

    /// True if the thread was started ever.
    var wasStarted: Bool { started.load(ordering: .acquiring) }

    func nextIdentifier() -> UInt64 {
        identifiers.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Hands a command to the loop and waits for what comes of it. Cancelling the task abandons it.
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
                // The handler may have run before the command was in the mailbox.
                if Task.isCancelled { mailbox.post(.abandon(id)) }
            }
        } onCancel: {
            mailbox.post(.abandon(id))
        }
    }
}
