import ClubProtocol

/// Reads what people write into the cells of a table. Throws a reason that reads well after the name of a column.
enum Cell {
    static func trimmed(_ cell: String) -> String {
        String(cell.trimmingBlanks)
    }

    /// Whether a cell has a placeholder for "nothing", as in spreadsheets and public tables.
    static func isNothing(_ cell: String) -> Bool {
        guard cell.utf8.count <= 16 else { return false }
        switch cell.utf8.first {
        case nil: return true
        // text: at most 16 bytes.
        case UInt8(ascii: "#"), UInt8(ascii: "n"), UInt8(ascii: "N"): return nothings.contains(cell.lowercased())
        default: return false
        }
    }

    private static let nothings = ["#n/d", "#n/a", "non public", "non communiqué", "non renseigné"]

    /// A cell that clears a field.
    static let emptying: [UInt8] = [UInt8(ascii: "-")]

    /// An identifier of the directory.
    static func identifier(_ cell: String) throws(InvalidText) -> Identifier<ImportRow> {
        do throws(InvalidText) {
            return try Identifier(validating: cell)
        } catch {
            throw InvalidText(
                "is not an identifier of the directory: if it belongs to another system, rename the column")
        }
    }

    /// The digits of a number, or the letters of a code, without the spaces that people put between groups.
    static func withoutBlanks(_ cell: String) -> String { cell.removingScalars(where: \.isBlank) }

    /// Line breaks and tabs, as from spreadsheets, become spaces; otherwise as for every line.
    static func line(_ cell: String) throws(InvalidText) -> Line {
        guard cell.utf8.contains(where: { $0 < 0x20 || $0 == 0xC2 || $0 == 0xE2 }) else {
            return try Line(validating: cell)
        }
        var scalars = String.UnicodeScalarView()
        for scalar in cell.unicodeScalars {
            switch scalar.value {
            case 0x09...0x0D, 0x85, 0x2028, 0x2029: scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        return try Line(validating: String(scalars))
    }

    /// A firm's name; nil for an e-mail address, which programs put there when they have no name. An @ alone does not
    /// make it an address: there are firms called Cyber@ction and @telier.
    static func firmName(_ cell: String) throws(InvalidText) -> Line? {
        let name = try line(cell)
        guard name.text.utf8.contains(UInt8(ascii: "@")) else { return name }
        var address = name.text.removingScalars { "<>\"'".unicodeScalars.contains($0) }
        if address.asciiLowercased.hasBytePrefix("mailto:") { address = String(Substring(address.utf8.dropFirst(7))) }
        return (try? EmailAddress(validating: trimmed(address))) == nil ? name : nil
    }

    /// A person's name, or a part of one; nil if it contains an @: that is not a name but an e-mail address, which
    /// programs put there when they have no name.
    static func personName(_ cell: String) throws(InvalidText) -> Line? {
        let name = try line(cell)
        return name.text.unicodeScalars.contains { [0x40, 0xFE6B, 0xFF20].contains($0.value) } ? nil : name
    }

    /// Spreadsheets drop the leading zeros of `01000` and `0559…`.
    static func padded(_ cell: String, to length: Int) -> String {
        var digits = withoutBlanks(cell)
        // A table exported from a data frame may have numbers for codes: `84200.0`.
        if digits.hasByteSuffix(".0") { digits.unicodeScalars.removeLast(2) }
        return digits.utf8.count == length - 1 ? "0\(digits)" : digits
    }

    /// Most people omit the scheme of a web site.
    static func address(_ cell: String) -> String {
        let scheme = cell.utf8.prefix { (0x61...0x7A).contains($0 | 0x20) }
        return Substring(cell.utf8[scheme.endIndex...]).hasBytePrefix("://") ? cell : "https://\(cell)"
    }

    /// A number that a spreadsheet has converted, `559000000`, `559000000.0` or `5,59E+08` with all its digits, gets
    /// its leading 0 back; one whose last digits the spreadsheet has rounded is rejected.
    static func telephone(_ cell: String) throws(InvalidText) -> Telephone {
        guard let digits = digits(ofNumber: cell) else { return try Telephone(validating: cell) }
        return try Telephone(
            validating: digits.utf8.count == 9 && !digits.utf8.starts(with: "0".utf8) ? "0\(digits)" : digits)
    }

    /// The digits of a whole number as a spreadsheet or a data frame writes it; nil for any other text.
    private static func digits(ofNumber cell: String) -> String? {
        guard cell.utf8.count <= 40 else { return nil }
        var rest = Array(cell.utf8)[...]
        func number() -> [UInt8] {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return Array(digits)
        }
        let whole = number()
        var fraction: [UInt8] = []
        if rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") {
            rest = rest.dropFirst()
            fraction = number()
            guard !fraction.isEmpty else { return nil }
        }
        var exponent = 0
        if rest.first == UInt8(ascii: "E") || rest.first == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard let value = Int(String(decoding: number(), as: UTF8.self)), value <= 15 else { return nil }
            exponent = value
        }
        while fraction.count > exponent, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        guard rest.isEmpty, !whole.isEmpty, fraction.count == exponent else { return nil }
        return String(decoding: whole + fraction, as: UTF8.self)
    }

    /// The départements served, by code or by name: see `Departement.written(_:)`.
    static func departements(_ cell: String) throws(InvalidText) -> [Departement] {
        var all: [Departement] = []
        for part in try list(cell, "/", { part throws(InvalidText) in try line(part) }) {
            let meant = Departement.written(part.text)
            guard !meant.isEmpty else { throw InvalidText("names an unknown département") }
            all += meant.filter { !all.contains($0) }
        }
        return all
    }

    /// `2027-03-14`, or `14/3/2027`, as French spreadsheets write it.
    ///
    /// - Throws: also for a day that is out of range for this meaning.
    static func day(_ cell: String, of meaning: DayMeaning) throws(InvalidText) -> Day {
        guard cell.utf8.count <= 40 else { throw InvalidText("is not a valid date (YYYY-MM-DD)") }
        let parts = cell.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: Array($0), as: UTF8.self) }
        guard parts.count == 3 else { return try meaning.checked(try Day(validating: cell)) }
        let (day, month) = (padded(parts[0], to: 2), padded(parts[1], to: 2))
        return try meaning.checked(try Day(validating: "\(parts[2])-\(month)-\(day)"))
    }

    static func yes(_ cell: String) throws(InvalidText) -> Bool {
        switch key(cell) {
        case "oui", "o", "yes", "y", "vrai", "true", "1", "x", "ok": return true
        case "non", "n", "no", "faux", "false", "0": return false
        default: throw InvalidText("is neither oui (yes) nor non (no)")
        }
    }

    /// The key by which a word is compared with known words, none of which is long.
    static func key(_ cell: String) -> String { cell.utf8.count <= 200 ? Folding.key(cell) : "" }

    /// A web address, which people write without `https://`.
    static func website(_ cell: String) throws(InvalidText) -> WebAddress { try WebAddress(validating: address(cell)) }

    /// Splits at separators outside quotes; a quoted part, such as `"Durand, Fils"`, loses its quotes. Empty parts and
    /// surrounding spaces are dropped.
    ///
    /// - Throws: for more than `most` parts, before any is read.
    private static func parts(
        of cell: String, separators: String, most: Int
    ) throws(InvalidText) -> [String] {
        var parts: [String] = []
        var part = String.UnicodeScalarView()
        var isBlank = true
        var isQuoted = false
        var afterQuote = false
        func end() throws(InvalidText) {
            if !isBlank {
                guard parts.count < most else { throw InvalidText("has more than \(most) values") }
                parts.append(trimmed(String(part)))
            }
            part = .init()
            isBlank = true
        }
        for scalar in cell.unicodeScalars {
            if scalar == "\"", isQuoted || afterQuote || isBlank {
                // A doubled quote within quotes is a literal quote.
                if afterQuote {
                    part.append(scalar)
                    isBlank = false
                }
                afterQuote = isQuoted
                isQuoted.toggle()
            } else {
                afterQuote = false
                if !isQuoted, separators.unicodeScalars.contains(scalar) {
                    try end()
                } else {
                    part.append(scalar)
                    if !scalar.isBlank { isBlank = false }
                }
            }
        }
        try end()
        return parts
    }

    /// The text of a cell that `list(_:_:_:)` reads back as these values.
    static func list(of values: [String]) -> String {
        values.map { value in
            guard value.utf8.contains(where: { ",;|\n\r\"".utf8.contains($0) }) else { return value }
            return "\"\(value.split(atByte: UInt8(ascii: "\"")).joined(separator: "\"\""))\""
        }.joined(separator: ", ")
    }

    /// The maximum number of values for ``several(_:_:)``.
    private static let mostOfSeveral = 20

    /// One value, or several as people write them side by side: `a; b`, `a / b`, one per line. A cell that is valid as
    /// one value stays one: a slash may be part of an address.
    static func several<Value: TextValue>(
        _ cell: String, _ read: (String) throws(InvalidText) -> Value
    ) throws(InvalidText) -> [Value] {
        do throws(InvalidText) {
            return [try read(cell)]
        } catch {
            let plain = try parts(of: cell, separators: ",;|\n\r", most: mostOfSeveral)
            // A single value may be quoted, too.
            guard plain.count > 1 || cell.utf8.contains(UInt8(ascii: "/")) || cell.utf8.contains(UInt8(ascii: "\""))
            else { throw error }
            var values: [Value] = []
            for part in plain {
                if let value = try? read(part) {
                    values.append(value)
                } else {
                    values += try list(part, "/", most: mostOfSeveral, read)
                }
                guard values.count <= mostOfSeveral else {
                    throw InvalidText("has more than \(mostOfSeveral) values")
                }
            }
            return values
        }
    }

    /// The parts of a cell that holds several values: `64, 40`, `64;40`, `64|40`, or one per line.
    static func list<Value>(
        _ cell: String, _ more: String = "", most: Int = 200, _ read: (String) throws(InvalidText) -> Value
    ) throws(InvalidText) -> [Value] where Value: TextValue {
        var values: [Value] = []
        var known: Set<ByteKey> = []
        for part in try parts(of: cell, separators: ",;|\n\r" + more, most: most) {
            let value = try read(part)
            if known.insert(ByteKey(value.text)).inserted { values.append(value) }
        }
        return values
    }
}
