import ClubProtocol

/// Amounts as banks write them. Throws a reason that reads well after the name of a column.
enum BankAmount {
    /// Which decimal sign the amounts of a file use.
    enum DecimalSign: Equatable {
        /// No amount shows it.
        case unknown
        case sign(UInt8)
        /// Some amounts use one, some the other.
        case both

        /// Combined with the sign that one more amount shows.
        func joined(_ sign: UInt8?) -> Self {
            guard let sign else { return self }
            switch self {
            case .unknown, .sign(sign): return .sign(sign)
            case .sign, .both: return .both
            }
        }
    }

    /// An amount as it was written.
    private struct Written {
        var digits: [UInt8] = []
        /// Commas and dots, each with the number of digits before it.
        var signs: [(sign: UInt8, place: Int)] = []
        /// Whether a sign before or after it marks it as negative; nil without a sign.
        var isNegative: Bool?

        /// The number of digits after the last sign.
        var behind: Int { digits.count - (signs.last?.place ?? digits.count) }
        /// Whether a single sign before three digits may be a thousands separator as well as a decimal sign: no number
        /// begins with a group of zeros.
        var isAmbiguous: Bool {
            signs.count == 1 && behind == 3 && (1...3).contains(signs[0].place) && digits[0] != UInt8(ascii: "0")
        }
        /// The last sign, if it occurs once.
        var last: UInt8? {
            guard let last = signs.last, signs.dropLast().allSatisfy({ $0.sign != last.sign }) else { return nil }
            return last.sign
        }
    }

    /// The decimal sign; nil where the amount does not show it, or is not an amount.
    static func decimalSign(in cell: String) -> UInt8? {
        guard let written = try? written(cell), written.behind > 0, !written.isAmbiguous else { return nil }
        return written.last
    }

    /// In cents: `1 234,56`, `-1.234,56`, `+12`, `1'200.5`; `(12,00)` is not an amount. The last comma or dot is the
    /// decimal sign; a single one before three digits separates thousands, unless other amounts of the file use it as
    /// the decimal sign.
    static func cents(_ cell: String, decimal: DecimalSign = .unknown) throws(InvalidText) -> Int {
        let written = try written(cell)
        let (digits, signs) = (written.digits, written.signs)
        var decimals = 0
        if written.isAmbiguous {
            guard decimal != .both else {
                throw InvalidText("has thousands or parts of a euro: the file has both signs")
            }
            decimals = decimal == .sign(signs[0].sign) ? 3 : 0
        } else if written.last != nil {
            decimals = written.behind
        }
        let groups = decimals > 0 || written.behind == 0 ? signs.dropLast() : signs[...]
        let ends = groups.dropFirst().map(\.place) + (groups.isEmpty ? [] : [digits.count - decimals])
        guard zip(groups, ends).allSatisfy({ $1 - $0.place == 3 }), groups.isEmpty || digits[0] != UInt8(ascii: "0")
        else {
            throw InvalidText("is not a valid amount")
        }
        return try cents(digits, decimals: decimals, isNegative: written.isNegative == true)
    }

    /// Whether a sign marks an amount as negative; nil without a sign, or if it is not an amount.
    static func isNegative(_ cell: String) -> Bool? { (try? written(cell))?.isNegative }

    private static func written(_ cell: String) throws(InvalidText) -> Written {
        guard cell.utf8.count <= 60 else { throw InvalidText("is not a valid amount") }
        var written = Written()
        var sign = 0
        for scalar in withoutCurrency(cell).unicodeScalars {
            switch scalar {
            case "0"..."9": written.digits.append(UInt8(scalar.value))
            case ",", ".": written.signs.append((UInt8(scalar.value), written.digits.count))
            case "'", "\u{2019}": continue
            case "+", "-", "\u{2212}":
                guard written.isNegative == nil else { throw InvalidText("is not a valid amount") }
                (sign, written.isNegative) = (written.digits.count, scalar != "+")
            case _ where scalar.isBlank: continue
            default: throw InvalidText("is not a valid amount")
            }
        }
        // `2027-12` is not an amount.
        guard !written.digits.isEmpty, sign == 0 || sign == written.digits.count else {
            throw InvalidText("is not a valid amount")
        }
        return written
    }

    /// A decimal as in XML Schema: `1234.5`.
    static func cents(decimal text: String) throws(InvalidText) -> Int {
        let bytes = Array(text.trimmingBlanks.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), bytes.count <= 40,
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }), bytes.contains(where: { $0 != 0x2E })
        else { throw InvalidText("is not a valid amount") }
        return try cents(parts.flatMap { $0 }, decimals: parts.count == 2 ? parts[1].count : 0, isNegative: false)
    }

    private static func cents(_ digits: [UInt8], decimals: Int, isNegative: Bool) throws(InvalidText) -> Int {
        let whole = digits.dropLast(decimals)
        var fraction = Array(digits.suffix(decimals))
        while fraction.count > 2, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        guard fraction.count <= 2 else { throw InvalidText("has parts of cents") }
        while fraction.count < 2 { fraction.append(UInt8(ascii: "0")) }
        guard let value = Int(String(decoding: whole + fraction, as: UTF8.self)), value <= Int(Int32.max) else {
            throw InvalidText("is too large an amount")
        }
        return isNegative ? -value : value
    }

    private static func withoutCurrency(_ cell: String) -> String {
        let text = cell.removingScalars { $0 == "€" }
        let bytes = Array(text.trimmingBlanks.utf8)
        return bytes.suffix(3).map { $0 & 0xDF } == Array("EUR".utf8)
            ? String(decoding: bytes.dropLast(3), as: UTF8.self) : text
    }
}
