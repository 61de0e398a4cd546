import ClubProtocol

/// Values of header fields that are read once the operation is known.
extension RequestHead {
    /// Whether `Accept` names HTML (RFC 9110, 12.5.1): browsers do so, programs do not.
    var acceptsPages: Bool {
        guard let accept else { return false }
        return accept.split(atByte: UInt8(ascii: ",")).contains { range in
            let parts = range.split(atByte: UInt8(ascii: ";")).map(\.trimmingBlanks)
            let weight = parts.first { $0.hasBytePrefix("q=") || $0.hasBytePrefix("Q=") }
            // A weight of zero means: not this.
            let isRefused = weight?.utf8.dropFirst(2).allSatisfy { "0.".utf8.contains($0) } ?? false
            return parts.first?.isField("text/html") == true && !isRefused
        }
    }

    /// The caller's remaining milliseconds, as a point in time; nil if it has no deadline.
    ///
    /// - Throws: 400 for anything but a number of milliseconds, 504 for a deadline that has passed.
    func deadline() throws(Problem) -> ContinuousClock.Instant? {
        guard let text = timeout else { return nil }
        guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let milliseconds = Int(text)
        else { throw Problem(.malformed, "Club-Timeout must be a number of milliseconds.") }
        guard milliseconds > 0 else { throw Problem(.deadline) }
        return ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
    }

    /// The value of `Idempotency-Key`: 1 to 200 visible ASCII characters.
    ///
    /// - Throws: 400 for any other.
    func validIdempotencyKey() throws(Problem) -> String? {
        guard let key = idempotencyKey else { return nil }
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(.malformed, "Idempotency-Key must be 1 to 200 visible ASCII characters.")
        }
        return key
    }

    /// The version in `If-Match: "3"`. Weak tags, lists and `*` do not name one version; a tag that this service never
    /// issues, such as `"+3"` or `"03"`, matches nothing (RFC 9110, 13.1.1).
    ///
    /// - Throws: 428 if it is required and missing, 400 for an invalid one, 412 for one that matches nothing.
    func expectedVersion(isRequired: Bool) throws(Problem) -> Int? {
        guard let text = ifMatch else {
            if isRequired { throw Problem(.preconditionRequired) }
            return nil
        }
        let bytes = text.utf8
        let tag = bytes.dropFirst().dropLast()
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\""),
            tag.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") })
        else { throw Problem(.malformed, "If-Match must be one strong entity tag of this service, such as \"3\".") }
        guard tag.allSatisfy({ (0x30...0x39).contains($0) }), tag.count == 1 || tag.first != UInt8(ascii: "0"),
            let version = Int(String(decoding: tag, as: UTF8.self))
        else { throw Problem(.stale) }
        return version
    }
}
