import ClubProtocol

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in the preferred form.
enum RetryAfter {
    /// - Parameter now: in seconds since 1970.
    /// - Returns: how long to wait, zero for a time in the past; nil for anything else.
    static func duration(_ text: String, now: Int64) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            // A number that does not fit is longer than anyone waits.
            return .seconds(Int64(text.prefix(9)) ?? 0)
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let parts = text.split(atByte: UInt8(ascii: " "), omittingEmpty: true)
        guard parts.count == 6, parts[5] == "GMT", parts[1].count == 2, parts[3].count == 4,
            let month = HTTPDate.months.firstIndex(of: String(parts[2])),
            let time = try? Timestamp(
                validating: "\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(parts[1])T\(parts[4])Z")
        else { return nil }
        return .seconds(max(0, time.microseconds / 1_000_000 - now))
    }
}
