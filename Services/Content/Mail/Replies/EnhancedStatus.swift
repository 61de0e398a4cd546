/// An enhanced status code: class, subject and detail, as in `5.1.1` (RFC 3463, 2). Servers write it at the start of
/// the text of a reply (RFC 2034, 3), and delivery reports in the field `Status` (RFC 3464, 2.3.4).
struct EnhancedStatus: Hashable, Sendable, CustomStringConvertible {
    /// The class: 2 success, 4 persistent transient failure, 5 permanent failure.
    var severity: Int
    var subject: Int
    var detail: Int

    init(severity: Int, subject: Int, detail: Int) {
        self.severity = severity
        self.subject = subject
        self.detail = detail
    }

    /// The code that a text begins with; what follows it, such as the comment of a `Status`, is ignored.
    init?(_ text: some StringProtocol) {
        self.init(Array(text.utf8.prefix(Self.longest + 2))[...])
    }

    /// The code that the bytes begin with.
    ///
    /// An Internet address is not taken for one: it has a fourth number.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        guard let severity = Self.number(&rest), [2, 4, 5].contains(severity), rest.popFirst() == UInt8(ascii: "."),
            let subject = Self.number(&rest), rest.popFirst() == UInt8(ascii: "."),
            let detail = Self.number(&rest), rest.first.map(Self.isDigit) != true
        else { return nil }
        if rest.first == UInt8(ascii: "."), rest.dropFirst().first.map(Self.isDigit) == true { return nil }
        self.init(severity: severity, subject: subject, detail: detail)
    }

    var description: String { "\(severity).\(subject).\(detail)" }

    /// `5.123.456`
    private static let longest = 9

    /// Takes a number of one to three digits.
    fileprivate static func number(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        let digits = bytes.prefix(3).prefix(while: isDigit)
        guard !digits.isEmpty else { return nil }
        bytes.removeFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

/// Enhanced status codes, as the rules write them: `5.1.1`, `x.2.2` (4 or 5), `5.7.x` (any detail), `4.7.500-699`.
struct EnhancedStatusPattern: Hashable, Sendable, ExpressibleByStringLiteral {
    /// nil for any.
    let severity: Int?
    let subject: Int
    let details: ClosedRange<Int>

    /// - Precondition: it is written as above.
    init(stringLiteral text: String) {
        var rest = Array(text.utf8)[...]
        func part() -> Int? {
            guard rest.first == UInt8(ascii: "x") else {
                guard let number = EnhancedStatus.number(&rest) else { preconditionFailure("\(text) is no status") }
                return number
            }
            rest.removeFirst()
            return nil
        }
        severity = part()
        precondition(rest.popFirst() == UInt8(ascii: "."))
        guard let subject = part() else { preconditionFailure("\(text) has no subject") }
        self.subject = subject
        precondition(rest.popFirst() == UInt8(ascii: "."))
        if let first = part() {
            details = rest.popFirst() == UInt8(ascii: "-") ? first...(part() ?? first) : first...first
        } else {
            details = 0...999
        }
        precondition(rest.isEmpty)
    }

    func matches(_ status: EnhancedStatus) -> Bool {
        severity.map { $0 == status.severity } != false && subject == status.subject && details.contains(status.detail)
    }
}
