import ClubProtocol
import Logging
import Metrics
import Postgres
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Sends mail, for as long as the service runs: looks for lanes that have mails to send, and opens connections for them,
/// as many as the lanes' limits and its own allow. One in each replica; what one holds, no other sends.
///
/// It takes nothing new once the service shuts down; the mails that are on their way end first.
struct MailDispatcher: Service {
    /// Identifies a sender: this process, until it counts as lost.
    typealias ID = Identifier<MailDispatcher>

    /// Which mails it sends: letters may have a mail server, and so a dispatcher, of their own.
    enum Mails: Sendable {
        case all, deliveries, letters
    }

    struct Settings: Sendable {
        /// How often it looks when nothing is notified.
        var poll = Duration.seconds(2)
        /// How often it says that it is alive, and looks for senders that do not.
        var heartbeat = Duration.seconds(5)
        /// How long it waits after the mail server could not be reached; doubled up to the longest.
        var backOff = BackOff(first: .seconds(1), longest: .seconds(60))
        var limits = SMTPTimeLimits()
        /// How long what is on its way may take once the service shuts down.
        var grace = Duration.seconds(10)
    }

    let database: PostgresClient
    var transport: any MailTransport
    let rules: MailLimitsFile
    let composer: any MailComposer
    /// Nil: messages are not signed.
    let signer: DKIMSigner?
    /// Nil: what comes back goes to the sender of the mails.
    let returnPath: ReturnPath?
    let pauseIssue: IssuePause
    let logger: Logger
    var settings = Settings()
    var mails = Mails.all
    /// Of all mails, since it frees those of lost senders of the other kind too; nil: as its own transport does.
    var repeatable: OutgoingMailStore.Repeatable?

    /// Of this process.
    var work = MailWork()

    private var again: OutgoingMailStore.Repeatable {
        repeatable ?? .init(deliveries: transport.repeatsHarmlessly, letters: transport.repeatsHarmlessly)
    }
    private var store: OutgoingMailStore { OutgoingMailStore(database: database) }
    var lanes: LaneStore { LaneStore(database: database, mails: store) }

    func run() async throws {
        let stopping = Latch()
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in database.listen(OutgoingMailStore.channel) { work.signal.raise() } }
                await serve(until: stopping)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            stopping.open()
            work.signal.raise()
        }
    }

    /// One sender after another: one that counts as lost is replaced.
    private func serve(until stopping: Latch) async {
        while !stopping.isOpen, !Task.isCancelled {
            let sender = ID()
            do {
                guard try await store.renew(sender, isNew: true) else { continue }
                await withTaskGroup(of: Void.self) { group in
                    let isAlive = Latch()
                    group.addTask { await beat(sender, until: isAlive) }
                    await send(as: sender, until: stopping)
                    isAlive.open()
                }
                try await store.retire(sender, again: again)
            } catch {
                logger.warning("mail cannot be sent", metadata: ["reason": "\(error.loggable)"])
                await pause(settings.poll, unless: stopping)
            }
        }
    }

    /// Says that the sender is alive, and frees what lost ones held.
    private func beat(_ sender: ID, until ended: Latch) async {
        while !ended.isOpen {
            await pause(settings.heartbeat, unless: ended)
            guard !ended.isOpen else { return }
            do {
                if try await !store.renew(sender, isNew: false) {
                    logger.warning("this sender counts as lost", metadata: ["sender": "\(sender)"])
                    work.lose()
                    return
                }
                let lost = try await store.recover(again: again)
                if lost > 0 { logger.warning("mails of a lost sender", metadata: ["count": "\(lost)"]) }
                while try await store.expire() > 0 {}
                try await lanes.tidy()
            } catch {
                logger.warning("the senders cannot be read", metadata: ["reason": "\(error.loggable)"])
            }
        }
    }

    private func pause(_ duration: Duration, unless latch: Latch) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await latch.wait() }
            group.addTask { try? await Task.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Connections

    /// Opens connections until the sender is lost or the service stops, and waits for them to end.
    private func send(as sender: ID, until stopping: Latch) async {
        work.begin()
        let worker = MailConnection(
            sender: sender, transport: transport, composer: composer, signer: signer, returnPath: returnPath,
            ledger: MailLedger(store, sender: sender, logger: logger),
            steering: LaneSteering(lanes: lanes, pause: pauseIssue, sender: sender, logger: logger), rules: rules,
            work: work, settings: settings, logger: logger)
        await withDiscardingTaskGroup { group in
            while !stopping.isOpen, !work.isLost, !Task.isCancelled {
                var wait = settings.poll
                do {
                    for (lane, seconds) in try await store.lanes(with: mails) {
                        guard seconds <= 0 else {
                            wait = min(wait, .seconds(max(0.05, seconds)))
                            continue
                        }
                        guard let kind = work.reserve(of: transport.connections) else { break }
                        let taken = mails == .all && kind == .letters ? .letters : mails
                        group.addTask { await worker.run(lane, of: taken) }
                    }
                } catch {
                    logger.warning("the lanes cannot be read", metadata: ["reason": "\(error.loggable)"])
                }
                await work.signal.wait(upTo: max(wait, work.backOff))
            }
            let end = ContinuousClock.now.advanced(by: settings.grace)
            while work.isBusy, .now < end { try? await Task.sleep(for: .milliseconds(20)) }
            group.cancelAll()
        }
    }
}
