import ClubProtocol
import Postgres
import ServiceKit

/// Reads what came back, and notes what it says of its mail. What is not understood waits for people: nothing is deleted
/// that was not understood.
struct InboundReading: Sendable {
    /// Raised when ``InboundReader`` understands more than before: what it could not read is read again.
    static let version = 1
    /// A message on which reading fails so often is left to people.
    private static let mostAttempts = 3

    let database: PostgresClient
    let finder: MailFinder
    let editors: Editors

    func mount(on builder: inout ServiceBuilder) {
        builder.schedule("read-inbound", .every(.seconds(1))) { _ in while try await readNext() {} }
        builder.schedule("forget-inbound", .daily(at: "03:40")) { _ in try await InboundStore.forget(on: database) }
        builder.watch(
            "mail", "unread-inbound", gauge: "inbound_messages_unread",
            help: "Messages that came back and that nobody has understood yet.",
            output: {
                $0 == 1
                    ? "one message that came back is not understood: see GET /v1/inbound-messages?state=unread"
                    : "\($0) messages that came back are not understood: see GET /v1/inbound-messages?state=unread"
            },
            count: { try await InboundStore.unread(on: database) })
    }

    /// - Returns: whether there was one.
    func readNext() async throws -> Bool {
        guard let taken = try await InboundStore.claim(version: Self.version, on: database) else { return false }
        guard taken.attempt <= Self.mostAttempts else {
            try await database.transaction { transaction in
                try await conclude(taken.id, .init(reason: "reading it failed several times"), in: transaction)
            }
            return true
        }
        let report =
            try taken.source == .provider ? ProviderReport.report(taken.bytes) : InboundReader.read(taken.bytes)
        try await database.transaction { transaction in
            guard let locked = try await InboundStore.lock(taken.id, in: transaction), locked.state != .read else {
                return
            }
            try await conclude(taken.id, reading(of: report, taken.id, in: transaction), in: transaction)
        }
        return true
    }

    private func conclude(
        _ id: InboundMessage.ID, _ reading: InboundStore.Reading, in transaction: PostgresTransaction
    ) async throws {
        try await InboundStore.conclude(id, reading, in: transaction)
        try await transaction.record(.changed, .inboundMessage, id, by: .service(.content))
    }

    /// Does what a report says.
    private func reading(
        of report: InboundReport, _ id: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws -> InboundStore.Reading {
        var reading = InboundStore.Reading(subject: report.subject, writer: report.writer)
        let byRecipient =
            switch report.kind {
            case .departure, .reply, .automatic: false
            default: true
            }
        let found = try await finder.find(report.references, byRecipient: byRecipient, in: transaction)
        (reading.mail, reading.foundBy) = (found?.mail, found?.foundBy)
        switch report.kind {
        case .unread(let reason): reading.reason = reason
        case .delayed: reading.kind = .delayed
        case .delivered: reading.kind = .delivered
        case .automatic: reading.kind = .automatic
        case .reply:
            guard try await pass(report, in: transaction) else {
                reading.reason = "people wrote it, and EDITORS_EMAIL does not say to whom it is sent on"
                break
            }
            reading.kind = .reply
        case .bounce(let bounces):
            guard let mail = reading.mail else {
                reading.reason = "a bounce, but it is not known of which mail"
                break
            }
            reading.kind = .bounce
            try await Self.bounce(mail, bounces, id, in: transaction)
        case .complaint:
            guard let mail = reading.mail else {
                reading.reason = "a complaint, but it is not known about which mail"
                break
            }
            reading.kind = .complaint
            try await MailReportStore.addComplaint(of: mail, from: id, in: transaction)
        case .departure:
            guard let mail = reading.mail, try await Departure.leave(mail, from: id, in: transaction) else {
                reading.reason = "somebody leaves, but it is not certain who: it does not name a mail that can be left"
                break
            }
            reading.kind = .departure
        }
        return reading
    }

    /// Sends the editors what a person wrote.
    ///
    /// - Returns: false if nobody would get it: there are no editors, or they wrote it.
    private func pass(_ report: InboundReport, in transaction: PostgresTransaction) async throws -> Bool {
        guard let email = editors.email, let writer = report.writer,
            !writer.text.asciiLowercased.hasSameBytes(as: email.text.asciiLowercased)
        else { return false }
        try await editors.tell(
            subject: "Réponse d’un lecteur\u{A0}: \(report.subject ?? "sans objet")",
            paragraphs: ["\(writer) a répondu à un envoi du club. Répondre à ce message lui répond."]
                + paragraphs(of: report.text ?? ""),
            replyTo: writer, in: transaction)
        return true
    }

    /// What is between empty lines.
    private func paragraphs(of text: String) -> [String] {
        text.split(atByte: UInt8(ascii: "\n")).split(whereSeparator: \.isBlank)
            .map { $0.joined(separator: "\n") }
    }

    /// A mail has one recipient. Where a report has several, it is about that address or, after forwarding, any.
    private static func bounce(
        _ mail: MailMessage.ID, _ bounces: [Bounce], _ id: InboundMessage.ID, in transaction: PostgresTransaction
    ) async throws {
        let email = try await Departure.recipient(of: mail, in: transaction)?.email
        let own = bounces.filter { bounce in
            bounce.recipient.map { $0.text.asciiLowercased.hasSameBytes(as: email?.text.asciiLowercased ?? "") } == true
        }
        guard let bounce = own.first ?? bounces.first else { return }
        try await MailReportStore.addBounce(
            of: mail, isHard: bounce.isHard, class: bounce.replyClass, status: bounce.status?.description,
            diagnostic: bounce.diagnostic, from: id, in: transaction)
    }

    // MARK: By people

    /// What a person says that a message is.
    ///
    /// - Throws: 422 if the mail is needed and not named, or is not known.
    func apply(
        _ body: TransitionInboundMessage.Body, to id: InboundMessage.ID, of mail: MailMessage.ID?,
        in transaction: PostgresTransaction
    ) async throws {
        let named = body.delivery.map { MailMessage.ID($0.uuid) } ?? body.letter.map { MailMessage.ID($0.uuid) }
        let pointer = body.letter != nil ? "/letter" : "/delivery"
        if let named, try await Departure.recipient(of: named, in: transaction) == nil {
            throw Problem.invalid(pointer, "is not known")
        }
        let mail = named ?? mail
        func needed() throws -> MailMessage.ID {
            guard let mail else { throw Problem.invalid("/delivery", "is needed: which mail it is about is not known") }
            return mail
        }
        switch body.kind {
        case .bounce:
            try await MailReportStore.addBounce(
                of: needed(), isHard: body.isHard ?? false, class: nil, status: nil, diagnostic: nil, from: id,
                in: transaction)
        case .complaint: try await MailReportStore.addComplaint(of: needed(), from: id, in: transaction)
        case .departure:
            guard try await Departure.leave(needed(), from: id, in: transaction) else {
                throw Problem.invalid(pointer, "cannot be left")
            }
        case .delayed, .delivered, .reply, .automatic: break
        }
        try await InboundStore.conclude(id, .init(kind: body.kind, mail: named), in: transaction)
    }
}
