import ClubProtocol

/// Says what a mail is that came to the envelope sender of our mails, or to the address of `List-Unsubscribe`.
///
/// Forms come before words, as they cannot be misread: a complaint (RFC 5965), a delivery report (RFC 3464), then the
/// texts of servers, a departure, an automatic answer (RFC 3834). What a server wrote and none of these matches is
/// ``InboundReport/Kind/unread(_:)``; what is left was written by people.
struct InboundReader {
    private static let mostBounces = 100
    private static let longestSubject = 500
    /// Of what people wrote, in bytes.
    private static let longestText = 8000

    private let fields: ReceivedFields
    private var parts: [ReceivedPart]
    private var references = InboundReport.References()
    /// Our addresses: a notice that names them does not name a recipient.
    private var own: Set<ByteKey> = []

    /// - Parameter bytes: the message as it was received; only its first 20 MiB count.
    static func read(_ bytes: [UInt8]) -> InboundReport {
        var reader = InboundReader(MIMEReader.read(bytes))
        reader.unwrap()
        let kind = reader.kind()
        var report = InboundReport(kind: kind, references: reader.references)
        report.subject = reader.fields.text("subject").map { Bounce.printable(Array($0.prefix(longestSubject))) }
        report.writer = reader.fields.bytes("from").flatMap(AddressScanner.first)
        if case .reply = kind { report.text = reader.writtenText }
        return report
    }

    private init(_ message: ReceivedPart) {
        fields = message.fields
        parts = message.all
        for value in InboundReport.References.delivered(to: fields) {
            references.addToken(from: value)
            for address in AddressScanner.all(in: value[...], most: 10) {
                own.insert(ByteKey(address.text.asciiLowercased))
            }
        }
        for value in fields.all("received") { references.addToken(from: value) }
    }

    private mutating func kind() -> InboundReport.Kind {
        guard !fields.isEmpty else { return .unread("it has no header") }
        if let kind = complaint() { return kind }
        let notice = notice()
        for part in parts where Self.quoted.contains(part.type.name) { references.addQuoted(part.quotedFields) }
        if let kind = deliveryReport(notice) ?? noticeKind(notice) {
            references.addQuoted(in: notice.copy)
            return kind
        }
        for value in fields.all("in-reply-to") + fields.all("references") { references.addMessageIDs(in: value) }
        let writer = fields.bytes("from").flatMap(AddressScanner.first)
        references.add(recipient: writer)
        if isDeparture { return .departure }
        if isAutomatic { return .automatic }
        if isFromServer { return .unread("a mail server wrote it, in words that are not known") }
        guard let writer else { return .unread("it does not say who wrote it") }
        return Self.isUnattended(writer) ? .unread("a program wrote it, in words that are not known") : .reply
    }

    private static let quoted: Set<String> = [
        "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers",
    ]

    /// Virus filters pass a report on as a file attached to a notice of theirs.
    private mutating func unwrap() {
        guard isFromServer, let first = parts.first(where: { $0.parts.isEmpty }),
            first.type.name.hasSameBytes(as: "message/rfc822"),
            let type = first.quotedFields.bytes("content-type").map(ContentType.init),
            type.name.hasSameBytes(as: "multipart/report")
        else { return }
        parts = MIMEReader.read(Array(first.body)).all
    }

    // MARK: Complaints

    private mutating func complaint() -> InboundReport.Kind? {
        let copies = parts.filter { Self.quoted.contains($0.type.name) }.map(\.quotedFields)
        guard let part = parts.first(where: { $0.type.name.hasSameBytes(as: FeedbackReport.type) }) else {
            // Microsoft's reports are the message alone, with a field that says who complains.
            let recipients = copies.flatMap { $0.all("x-hmxmroriginalrecipient") }.compactMap(AddressScanner.first)
            guard !recipients.isEmpty else { return nil }
            for copy in copies { references.addQuoted(copy) }
            return .complaint(Complaint(feedbackType: "abuse", recipients: recipients))
        }
        let report = FeedbackReport(part.text)
        references.envelopeID = report.envelopeID
        if let sender = report.sender { references.addToken(from: sender) }
        for recipient in report.recipients { references.add(recipient: recipient) }
        for copy in copies { references.addQuoted(copy) }
        return report.complaint.map { .complaint($0) } ?? .automatic
    }

    // MARK: Delivery reports

    private mutating func deliveryReport(_ notice: BounceNotice) -> InboundReport.Kind? {
        guard let part = parts.first(where: { DeliveryReport.types.contains($0.type.name) }) else {
            // Reports whose boundaries were lost.
            guard
                fields.bytes("content-type").map({ ContentType($0).name })?.hasSameBytes(as: "multipart/report")
                    == true,
                let text = parts.first?.body, parts.count == 1
            else { return nil }
            return kind(of: DeliveryReport(Array(text.prefix(ReceivedPart.longestText))), notice)
        }
        return kind(of: DeliveryReport(part.text), notice)
    }

    private mutating func kind(of report: DeliveryReport, _ notice: BounceNotice) -> InboundReport.Kind? {
        references.envelopeID = report.envelopeID
        guard !report.recipients.isEmpty else { return nil }
        for recipient in report.recipients {
            references.add(recipient: recipient.original)
            references.add(recipient: recipient.final)
        }
        for (outcome, kind) in [
            (DeliveryReport.Outcome.failed, InboundReport.Kind.bounce), (.delayed, InboundReport.Kind.delayed),
        ] {
            let concerned = report.recipients.filter { $0.outcome == outcome }
            guard !concerned.isEmpty else { continue }
            return kind(concerned.prefix(Self.mostBounces).map { bounce($0, of: concerned.count, notice) })
        }
        return .delivered
    }

    private func bounce(
        _ recipient: DeliveryReport.Recipient, of count: Int, _ notice: BounceNotice
    ) -> Bounce {
        // Where a field is missing, the text that goes with it may say it.
        let entry = notice.entries.first { entry in
            [recipient.original, recipient.final].contains { $0?.text.hasSameBytes(as: entry.recipient.text) == true }
        }
        let said = entry ?? (count == 1 && notice.entries.count == 1 ? notice.entries[0] : nil)
        let isSaid = recipient.diagnostic.isEmpty
        var bounce = Bounce(
            recipient: recipient.original ?? recipient.final ?? said?.recipient, status: recipient.status,
            diagnostic: isSaid ? said?.text ?? (count == 1 ? notice.body : []) : recipient.diagnostic,
            isFinal: recipient.outcome == .failed)
        // A report that has fields has to say in them that the address is gone; and its text must not deny it.
        if isSaid, recipient.status?.subject != 1 { bounce.isHard = false }
        if count == 1, BounceTexts.existingMailboxes.occur(in: notice.words) { bounce.isHard = false }
        return bounce
    }

    // MARK: Texts

    private mutating func notice() -> BounceNotice {
        let text =
            parts.first { $0.parts.isEmpty && $0.type.isText && !$0.type.name.hasSameBytes(as: "text/rfc822-headers") }
            ?? parts.first { $0.parts.isEmpty && !$0.type.isMultipart } ?? parts.first
        guard let text else { return BounceNotice([], own: own) }
        let isHTML = text.type.name.hasSameBytes(as: "text/html")
        return BounceNotice(isHTML ? ReceivedHTML.text(text.text) : text.text, own: own)
    }

    private mutating func noticeKind(_ notice: BounceNotice) -> InboundReport.Kind? {
        let failed = fields.all("x-failed-recipients").flatMap { AddressScanner.all(in: $0[...], most: 20) }
        guard isFromServer || saysFailure || !failed.isEmpty else { return nil }
        guard let outcome = notice.outcome ?? (failed.isEmpty ? nil : .failed) else { return nil }
        let isFinal = outcome == .failed
        let entries = notice.entries.isEmpty && failed.isEmpty ? notice.guesses : notice.entries
        var bounces = entries.map { entry in
            let saysNothing = !entry.text.contains(where: ReplyWords.isLetterOrDigit)
            return Bounce(
                recipient: entry.recipient, diagnostic: saysNothing ? notice.body : entry.text, isFinal: isFinal)
        }
        if bounces.isEmpty {
            let recipients: [EmailAddress?] = failed.isEmpty ? [nil] : failed
            bounces = recipients.map { Bounce(recipient: $0, diagnostic: notice.body, isFinal: isFinal) }
        }
        for recipient in entries.map(\.recipient) + failed { references.add(recipient: recipient) }
        switch outcome {
        case .failed: return .bounce(bounces)
        case .delayed: return .delayed(bounces)
        case .delivered: return .delivered
        }
    }

    /// Whether a mail server or its postmaster wrote it.
    private var isFromServer: Bool {
        guard let from = fields.text("from") else { return false }
        if from[...].trimmed.elementsEqual("<>".utf8) { return true }
        // Addresses are no words.
        return BounceTexts.servers.occur(in: ReplyWords(from.prefix(500).map { $0 == UInt8(ascii: "@") ? 0x20 : $0 }))
    }

    private var subject: ReplyWords { ReplyWords(Array((fields.text("subject") ?? []).prefix(500))) }

    /// Whether its subject is a report's, and not one that somebody forwarded.
    private var saysFailure: Bool {
        let subject = subject
        if BounceTexts.subjectEnds.occur(in: subject) { return true }
        let first = subject.bytes.dropFirst().prefix { $0 != ReplyWords.space }
        return !BounceTexts.forwards.contains(Array(first)) && BounceTexts.subjects.occur(in: subject)
    }

    // MARK: Answers

    /// Its first text, in lines of printable characters.
    private var writtenText: String? {
        guard let part = parts.first(where: { $0.parts.isEmpty && $0.type.isText }) else { return nil }
        let isHTML = part.type.name.hasSameBytes(as: "text/html")
        let text = isHTML ? ReceivedHTML.text(part.text) : part.text
        return ByteLines(text.prefix(Self.longestText)).map { Bounce.printable(Array($0)) }.joined(separator: "\n")
    }

    private var isDeparture: Bool {
        let words = subject.bytes.split(separator: ReplyWords.space)
        return BounceTexts.departures.contains(Array(words.joined(separator: [ReplyWords.space])))
    }

    /// RFC 3834, 5, and the fields that came before it.
    private var isAutomatic: Bool {
        if let submitted = fields.bytes("auto-submitted") {
            let word = submitted[...].trimmed.prefix(while: { ReplyWords.isLetterOrDigit($0) || $0 == 0x2D }).folded
            if !word.elementsEqual("no".utf8) { return true }
        }
        for name in ["x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply"]
        where fields.bytes(name) != nil { return true }
        let precedence = String(
            decoding: (fields.bytes("precedence") ?? [])[...].trimmed.prefix(20).folded, as: UTF8.self)
        if ["auto_reply", "auto-reply", "bulk", "junk", "list"].contains(precedence) { return true }
        if parts.contains(where: { $0.type.name.hasSameBytes(as: "message/disposition-notification") }) { return true }
        return BounceTexts.absences.begin(subject) || BounceTexts.absenceEnds.occur(in: subject)
    }

    private static func isUnattended(_ address: EmailAddress) -> Bool {
        let text = address.text.asciiLowercased
        return ["no-reply", "noreply", "no_reply", "ne-pas-repondre", "nepasrepondre", "donotreply", "do-not-reply"]
            .contains { text.hasBytePrefix($0) }
    }
}
