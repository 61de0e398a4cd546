import ClubProtocol

extension InboundReport.References {
    private static let mostMessageIDs = 20
    private static let mostRecipients = 20
    private static let longestToken = 128
    /// RFC 5322 has lines of 998 characters.
    private static let longestMessageID = 998

    /// The fields in which servers write whom a message is delivered to.
    static func delivered(to fields: ReceivedFields) -> [[UInt8]] {
        fields.all("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "apparently-to", "resent-to")
    }

    /// Takes the token from a value that has `return+TOKEN@…`, if none is known yet.
    mutating func addToken(from value: [UInt8]) {
        guard returnToken == nil else { return }
        var rest = value[...]
        while let plus = rest.firstIndex(of: UInt8(ascii: "+")) {
            let before = rest[..<plus].suffix(6)
            let token = rest[(plus + 1)...].prefix(Self.longestToken + 1).prefix(while: Self.isToken)
            rest = rest[(plus + 1)...]
            if before.folded.elementsEqual("return".utf8), !token.isEmpty, token.count <= Self.longestToken,
                rest[token.endIndex...].first == UInt8(ascii: "@")
            {
                returnToken = String(decoding: token, as: UTF8.self)
                return
            }
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        ReplyWords.isLetterOrDigit(byte) || "-_.=~".utf8.contains(byte)
    }

    /// Takes `<…@…>` from a field such as `Message-ID` or `References`; old programs leave out the brackets.
    mutating func addMessageIDs(in value: [UInt8]) {
        var rest = value[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")),
            let close = rest[open...].firstIndex(of: UInt8(ascii: ">"))
        {
            add(messageID: rest[open...close])
            rest = rest[(close + 1)...]
        }
        if rest.count == value.count, value.contains(UInt8(ascii: "@")), !value.contains(0x20) {
            add(messageID: ([UInt8(ascii: "<")] + value + [UInt8(ascii: ">")])[...])
        }
    }

    private mutating func add(messageID bytes: ArraySlice<UInt8>) {
        guard messageIDs.count < Self.mostMessageIDs, bytes.count <= Self.longestMessageID, bytes.count > 3,
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return }
        let id = String(decoding: bytes, as: UTF8.self)
        if !messageIDs.contains(where: { $0.hasSameBytes(as: id) }) { messageIDs.append(id) }
    }

    mutating func add(recipient: EmailAddress?) {
        guard let recipient, recipients.count < Self.mostRecipients,
            !recipients.contains(where: { $0.text.hasSameBytes(as: recipient.text) })
        else { return }
        recipients.append(recipient)
    }

    /// Takes what the header of our own message says, as a report quotes it.
    mutating func addQuoted(_ fields: ReceivedFields) {
        for value in fields.all("return-path", "x-return-path", "errors-to") { addToken(from: value) }
        for value in fields.all("message-id") { addMessageIDs(in: value) }
        for value in fields.all("x-hmxmroriginalrecipient", "to") {
            for address in AddressScanner.all(in: value[...], most: 2) { add(recipient: address) }
        }
    }

    /// Takes the same from the lines of a text.
    mutating func addQuoted(in text: ArraySlice<UInt8>) {
        for line in ByteLines(text).prefix(Self.mostQuotedLines) {
            guard let field = ReceivedFields.field(line.drop { $0 == UInt8(ascii: ">") || $0 == 0x20 }.prefix(4000))
            else { continue }
            switch field.name {
            case "return-path": addToken(from: field.value)
            case "message-id": addMessageIDs(in: field.value)
            case "to":
                for address in AddressScanner.all(in: field.value[...], most: 2) { add(recipient: address) }
            default: break
            }
        }
    }

    private static let mostQuotedLines = 2000
}
