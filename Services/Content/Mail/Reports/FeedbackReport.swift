import ClubProtocol

/// The fields of `message/feedback-report` (RFC 5965, 3).
struct FeedbackReport {
    static let type = "message/feedback-report"
    /// Of reports about failed signatures (RFC 6591), and of messages that somebody took out of the spam (RFC 5965,
    /// 7.3): nobody complains.
    private static let harmless: Set<String> = ["auth-failure", "not-spam"]
    private static let mostRecipients = 20

    /// In lower case; `abuse` where it is missing.
    var feedbackType: String
    var recipients: [EmailAddress]
    var envelopeID: String?
    /// `Original-Mail-From`, where our envelope sender may have its token.
    var sender: [UInt8]?

    init(_ text: [UInt8]) {
        var lines = ByteLines(text[...])
        // Some providers leave empty lines before the fields.
        var fields = ReceivedFields(reading: &lines)
        while fields.isEmpty, lines.next() != nil { fields = ReceivedFields(reading: &lines) }
        let type = fields.bytes("feedback-type")?[...].trimmed.prefix(40).folded ?? []
        feedbackType = type.isEmpty ? "abuse" : String(decoding: type, as: UTF8.self)
        recipients = fields.all("original-rcpt-to", "removal-recipient").prefix(Self.mostRecipients)
            .compactMap(AddressScanner.first)
        envelopeID = fields.bytes("original-envelope-id").map { String(decoding: $0.prefix(300), as: UTF8.self) }
        sender = fields.bytes("original-mail-from")
    }

    /// nil if nobody complains.
    var complaint: Complaint? {
        Self.harmless.contains(feedbackType) ? nil : Complaint(feedbackType: feedbackType, recipients: recipients)
    }
}
