import ClubProtocol

/// A report in the form of RFC 3464: the fields of `message/delivery-status`.
struct DeliveryReport {
    enum Outcome { case failed, delayed, delivered }

    /// What is said of one recipient.
    struct Recipient {
        var original: EmailAddress?
        var final: EmailAddress?
        var outcome: Outcome
        var status: EnhancedStatus?
        /// `Diagnostic-Code`, otherwise what is behind the status: `5.0.0 (over quota)`.
        var diagnostic: [UInt8]
    }

    private static let mostRecipients = 100

    private(set) var envelopeID: String?
    private(set) var recipients: [Recipient] = []

    static let types: Set<String> = ["message/delivery-status", "message/global-delivery-status"]

    /// - Parameter text: groups of fields, each ended by an empty line, the first about the message.
    init(_ text: [UInt8]) {
        var lines = ByteLines(text[...])
        while recipients.count < Self.mostRecipients {
            let start = lines.place
            let fields = ReceivedFields(reading: &lines, isUnfolded: true)
            if fields.isEmpty {
                // An empty line more, or a line that is no field.
                if lines.place == start, lines.next() == nil { return }
                continue
            }
            if let id = fields.bytes("original-envelope-id") {
                envelopeID = String(
                    decoding: TransferEncoding.unescaped(id.prefix(300)[...], escape: UInt8(ascii: "+")), as: UTF8.self)
            }
            if let recipient = Self.recipient(fields) { recipients.append(recipient) }
        }
    }

    /// nil for the group about the message.
    private static func recipient(_ fields: ReceivedFields) -> Recipient? {
        let final = fields.bytes("final-recipient")
        let action = fields.bytes("action")
        let diagnostic = fields.bytes("diagnostic-code")
        guard final != nil || action != nil || diagnostic != nil else { return nil }
        let statusText = fields.bytes("status")
        let status = statusText.flatMap { EnhancedStatus($0[...]) }
        let remark = statusText.map { Array($0.drop { $0 == UInt8(ascii: ".") || $0 &- UInt8(ascii: "0") < 10 }) }
        // A status that is none, such as `553 too big`, is a reply.
        let reply = status == nil ? statusText : remark
        return Recipient(
            original: fields.bytes("original-recipient").flatMap(AddressScanner.first),
            final: final.flatMap(AddressScanner.first), outcome: outcome(action, status), status: status,
            diagnostic: diagnostic ?? reply?[...].trimmed.map { $0 } ?? [])
    }

    /// `Action` (RFC 3464, 2.3.3). Other words than its five are of failures: `failure`, `error`, `expired`.
    private static func outcome(_ action: [UInt8]?, _ status: EnhancedStatus?) -> Outcome {
        let word = action?[...].trimmed.prefix(while: ReplyWords.isLetterOrDigit).folded ?? []
        switch String(decoding: word, as: UTF8.self) {
        case "delayed": return .delayed
        case "delivered", "relayed", "expanded": return .delivered
        case "": return status?.severity == 2 ? .delivered : .failed
        default: return .failed
        }
    }
}
