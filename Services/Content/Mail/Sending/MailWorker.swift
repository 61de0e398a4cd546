import ClubProtocol
import Logging
import Metrics
import NIOCore
import ServiceKit

/// Makes the message of a mail: the same at each attempt, but for the seal of its link.
protocol MailComposer: Sendable {
    /// - Throws: if what the mail needs is gone, such as its issue.
    func message(for mail: OutgoingMail) async throws -> MailMessage
}

/// Who makes the messages of which mails.
struct MailComposers: MailComposer {
    let deliveries: any MailComposer
    let letters: any MailComposer

    func message(for mail: OutgoingMail) async throws -> MailMessage {
        try await (mail.issue == nil ? letters : deliveries).message(for: mail)
    }
}

/// One connection to a mail server: hands over the mails that it was granted, one after the other.
///
/// The text of a mail begins when the server is ready for it and the ledger has recorded that it begins. So at most one
/// mail of a connection is in doubt.
struct MailWorker: Sendable {
    /// How long the server may take to answer an envelope before the ending of the mail before it is recorded on its own.
    private static let patience = TimeAmount.milliseconds(100)
    /// How long it may take before the mails behind this one are left to other connections.
    private static let stall = TimeAmount.seconds(20)

    let lane: String
    let transport: any MailTransport
    let composer: any MailComposer
    let signer: DKIMSigner?
    /// Nil: what comes back goes to the sender of the mails.
    let returnPath: ReturnPath?
    let ledger: MailLedger
    let steering: LaneSteering
    let connection: Identifier<LaneStore>
    let work: MailWork
    let limits: SMTPTimeLimits
    let logger: Logger

    /// - Returns: the mails that were not begun.
    /// - Throws: ``MailUnreachable``.
    func deliver(_ mails: [OutgoingMail], refusals: Int) async throws -> [OutgoingMail] {
        let session = try await transport.connect()
        var batch = Batch(rest: mails[...], refusals: refusals)
        await run(&batch, over: session)
        if let ending = batch.ending { await ledger.turn(ending: ending) }
        await session.close()
        return batch.left
    }

    private struct Prepared {
        var mail: OutgoingMail
        var envelope: MailEnvelope
        var text: ByteBuffer
    }

    private struct Batch {
        var rest: ArraySlice<OutgoingMail>
        var refusals: Int
        /// Of the last mail, not yet recorded.
        var ending: MailEnding?
        var left: [OutgoingMail] = []
    }

    private func run(_ batch: inout Batch, over session: any MailSession) async {
        defer {
            batch.left += batch.rest
            batch.rest = []
        }
        guard var present = await prepare(&batch) else { return }
        await session.offer(present.envelope)
        while true {
            switch await answer(&batch, for: present.mail, from: session) {
            case .ready:
                let ending = batch.ending
                batch.ending = nil
                guard await ledger.turn(ending: ending, beginning: present.mail) else {
                    // The server waits for a text that it must not get.
                    batch.left.append(present.mail)
                    return
                }
                let next = await prepare(&batch)
                await session.send(present.text, then: next?.envelope)
                guard let outcome = await session.outcome(within: Self.stall) else {
                    if let next { batch.rest.append(next.mail) }
                    return await stalled(present.mail, &batch, over: session)
                }
                let goesOn = await conclude(present.mail, outcome, &batch)
                guard let next else { return }
                present = next
                if !goesOn {
                    batch.left.append(present.mail)
                    return
                }
            case .refused(let reply, let stage, let isLast):
                await record(
                    &batch, await steering.ending(of: present.mail, reply, at: stage, in: lane, &batch.refusals))
                guard !isLast, let next = await prepare(&batch) else { return }
                present = next
                await session.offer(present.envelope)
            case .lost(let reason):
                await record(&batch, .lost(present.mail, reason))
                return
            }
        }
    }

    /// The server's answer to an envelope. If it takes long, what is known is recorded, and what waits behind is left to
    /// others.
    private func answer(
        _ batch: inout Batch, for mail: OutgoingMail, from session: any MailSession
    ) async -> MailOffer {
        if let offer = await session.answer(within: Self.patience) { return offer }
        if let ending = batch.ending {
            batch.ending = nil
            await ledger.turn(ending: ending)
        }
        if let offer = await session.answer(within: Self.stall) { return offer }
        let isFree = await leave(&batch, behind: mail)
        let offer = await session.answer(within: limits.command) ?? .lost("the server did not answer")
        if isFree { work.resume() }
        return offer
    }

    /// The last text of a connection: the server takes long to answer it, and the mails behind it are left to others.
    private func stalled(_ mail: OutgoingMail, _ batch: inout Batch, over session: any MailSession) async {
        let isFree = await leave(&batch, behind: mail)
        let outcome = await session.outcome(within: limits.textSent) ?? .uncertain("the server did not answer the text")
        if isFree { work.resume() }
        _ = await conclude(mail, outcome, &batch)
    }

    /// Frees the mails behind one that the server does not answer; its domain gets a lane of its own.
    ///
    /// - Returns: whether the connection does not count until ``MailWork/resume()``.
    private func leave(_ batch: inout Batch, behind mail: OutgoingMail) async -> Bool {
        await steering.leave(batch.left + batch.rest, of: lane)
        batch.left = []
        batch.rest = []
        await steering.stalled(mail, in: lane, on: connection)
        return work.stall(of: transport.connections)
    }

    /// - Returns: whether the connection can take another message.
    private func conclude(_ mail: OutgoingMail, _ outcome: MailOutcome, _ batch: inout Batch) async -> Bool {
        switch outcome {
        case .accepted(let reply):
            if batch.refusals > 0 { await steering.accepted(in: lane, &batch.refusals) }
            await record(&batch, MailEnding(of: mail, .taken, reply))
            return true
        case .refused(let reply):
            await record(&batch, await steering.ending(of: mail, reply, at: .text, in: lane, &batch.refusals))
            return reply.code != 421
        case .lost(let reason): await record(&batch, .lost(mail, reason))
        case .uncertain(let reason):
            await record(&batch, MailEnding(id: mail.id, state: .uncertain, reply: reason))
        }
        return false
    }

    /// Keeps an ending for the turn in which the next mail begins.
    private func record(_ batch: inout Batch, _ ending: MailEnding) async {
        if let earlier = batch.ending { await ledger.turn(ending: earlier) }
        batch.ending = ending
        let isDomain = lane.hasBytePrefix(LaneName.domainPrefix)
        let meaning = ending.replyClass?.rawValue ?? (ending.state == .uncertain ? "uncertain" : "lost")
        Counter(label: "mails_total", dimensions: [("class", meaning), ("lane", isDomain ? "domain" : lane)])
            .increment()
    }

    /// The next mail with its message. One whose message cannot be made is left, and tried again later.
    private func prepare(_ batch: inout Batch) async -> Prepared? {
        while let mail = batch.rest.popFirst() {
            do {
                let message = try await composer.message(for: mail).bytes
                let text = ByteBuffer(bytes: signer?.signed(message) ?? message)
                let envelope = MailEnvelope(
                    id: mail.id, sender: try returnPath?.address(of: mail.id) ?? transport.sender,
                    recipient: mail.email, size: text.readableBytes)
                return Prepared(mail: mail, envelope: envelope, text: text)
            } catch {
                logger.error(
                    "a mail cannot be written", metadata: ["mail": "\(mail.id)", "reason": "\(error.loggable)"])
                batch.left.append(mail)
            }
        }
        return nil
    }
}
