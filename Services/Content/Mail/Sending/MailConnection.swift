import Logging
import Metrics
import ServiceKit

/// One of the connections of a process: serves a lane with one connection to the mail server after another, until
/// nothing is due there or its limits are reached.
struct MailConnection: Sendable {
    let sender: MailDispatcher.ID
    let transport: any MailTransport
    let composer: any MailComposer
    let signer: DKIMSigner?
    let returnPath: ReturnPath?
    let ledger: MailLedger
    let steering: LaneSteering
    let rules: MailLimitsFile
    let work: MailWork
    let settings: MailDispatcher.Settings
    let logger: Logger

    func run(_ lane: String, of mails: MailDispatcher.Mails) async {
        defer { work.release() }
        do {
            while !work.isLost, try await serve(lane, mails) {}
        } catch {
            logger.warning("a lane cannot be served", metadata: ["lane": "\(lane)", "reason": "\(error.loggable)"])
        }
    }

    /// - Returns: whether there may be more.
    private func serve(_ lane: String, _ mails: MailDispatcher.Mails) async throws -> Bool {
        let rule = rules.rule(of: lane, connections: transport.connections)
        guard let grant = try await steering.lanes.grant(lane, rule, for: sender, of: mails) else {
            return false
        }
        // Others may find more in this lane.
        work.signal.raise()
        let worker = MailWorker(
            lane: lane, transport: transport, composer: composer, signer: signer, returnPath: returnPath,
            ledger: ledger, steering: steering, connection: grant.id, work: work, limits: settings.limits,
            logger: logger)
        var left = grant.mails
        var isReached = true
        do {
            left = try await worker.deliver(grant.mails, refusals: grant.refusals)
            work.succeed()
        } catch let error as MailUnreachable {
            isReached = false
            work.fail(settings.backOff)
            logger.warning("the mail server cannot be reached", metadata: ["reason": "\(error.reason)"])
            await steering.unreachable(error, grant.mails)
        }
        try await steering.lanes.end(grant.id, in: lane, leaving: left, by: sender)
        return isReached && left.count < grant.mails.count
    }
}
