import ClubProtocol

/// Amounts and days as banks write them. Throws a reason that fits behind the name of a column.
enum BankAmount {
    /// In cents: `1 234,56`, `-1.234,56`, `+12`, `1'200.5`, `(12,00)` is none. What stands last of comma and dot is the decimal sign;
    /// a single one before three digits parts thousands.
    static func cents(_ cell: String) throws(InvalidText) -> Int {
        guard cell.utf8.count <= 60 else { throw InvalidText("is no amount") }
        var (digits, signs, isNegative) = ([UInt8](), [(sign: UInt8, place: Int)](), false)
        var isSigned = false
        for scalar in withoutCurrency(cell).unicodeScalars {
            switch scalar {
            case "0"..."9": digits.append(UInt8(scalar.value))
            case ",", ".": signs.append((UInt8(scalar.value), digits.count))
            case "'", "\u{2019}": continue
            case "+", "-", "\u{2212}":
                guard !isSigned else { throw InvalidText("is no amount") }
                (isSigned, isNegative) = (true, scalar != "+")
            case _ where scalar.isBlank: continue
            default: throw InvalidText("is no amount")
            }
        }
        guard !digits.isEmpty else { throw InvalidText("is no amount") }
        var decimals = 0
        if let last = signs.last {
            let behind = digits.count - last.place
            let isAlone = signs.count == 1
            let isOther = signs.dropLast().allSatisfy { $0.sign != last.sign }
            if isOther, !(isAlone && behind == 3 && (1...3).contains(last.place)) { decimals = behind }
            let groups = decimals > 0 || behind == 0 ? signs.dropLast() : signs[...]
            let ends = groups.dropFirst().map(\.place) + (groups.isEmpty ? [] : [digits.count - decimals])
            guard zip(groups, ends).allSatisfy({ $1 - $0.place == 3 }) else { throw InvalidText("is no amount") }
        }
        return try cents(digits, decimals: decimals, isNegative: isNegative)
    }

    /// As XML Schema has a decimal: `1234.5`.
    static func cents(decimal text: String) throws(InvalidText) -> Int {
        let bytes = Array(text.trimmingBlanks.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), bytes.count <= 40,
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }), bytes.contains(where: { $0 != 0x2E })
        else { throw InvalidText("is no amount") }
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

    /// `14/03/2027`, `14-03-2027`, `14.03.27`, `2027-03-14`, each with a time behind it or not.
    static func day(_ cell: String, of meaning: DayMeaning) throws(InvalidText) -> Day {
        let text = Array(cell.trimmingBlanks.utf8.prefix(40))
        let parts = text.prefix { $0 != 0x20 && $0 != UInt8(ascii: "T") }
            .split(omittingEmptySubsequences: false) { [0x2F, 0x2D, 0x2E].contains($0) }
        guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }) else {
            throw InvalidText("is no day")
        }
        var numbers = parts.map { String(decoding: $0, as: UTF8.self) }
        if parts[0].count == 4 { numbers.reverse() }
        guard (1...2).contains(numbers[0].utf8.count), (1...2).contains(numbers[1].utf8.count) else {
            throw InvalidText("is no day")
        }
        let year = numbers[2].utf8.count == 2 ? "20\(numbers[2])" : numbers[2]
        func two(_ number: String) -> String { number.utf8.count == 1 ? "0\(number)" : number }
        return try meaning.checked(try Day(validating: "\(year)-\(two(numbers[1]))-\(two(numbers[0]))"))
    }
}
