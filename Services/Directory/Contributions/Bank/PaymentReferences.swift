import ClubProtocol

/// Contribution numbers in a payer's text: `2027-12` as printed on a call, and the forms it takes on the way: `2027
/// 12`, `202712`, `2027/12`, `N°2027-0012`, `COT2027-12`, or within an ISO 11649 creditor reference. What reads as a
/// day does not count: `2027-04-15`, `15/04/2027`, `20270415`, `15042027`, `150427`.
enum PaymentReferences {
    struct Number: Hashable {
        var year: Int
        var number: Int
    }

    /// Per text.
    private static let most = 16

    static func numbers(in text: String) -> [Number] {
        let bytes = Array(text.utf8.prefix(4000))
        var found: [Number] = []
        func add(_ number: Number?) {
            if let number, !found.contains(number), found.count < most { found.append(number) }
        }
        var index = 0
        while index < bytes.count {
            guard isDigit(bytes[index]) else {
                if let body = creditorReference(bytes, at: index) { add(joined(Array(body.utf8))) }
                index += 1
                continue
            }
            if let end = endOfDay(bytes, at: index) {
                index = end
                continue
            }
            let digits = bytes[index...].prefix(while: isDigit)
            add(joined(Array(digits)) ?? parted(digits, bytes))
            index = digits.endIndex
        }
        return found
    }

    /// `202712`: a year directly followed by a number.
    private static func joined(_ digits: [UInt8]) -> Number? {
        guard (5...12).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
        return number(digits[..<4], digits[4...])
    }

    /// `2027-12`, `2027 / 12`: a year, at most three characters, and a number.
    private static func parted(_ digits: ArraySlice<UInt8>, _ bytes: [UInt8]) -> Number? {
        guard digits.count == 4 else { return nil }
        var next = digits.endIndex
        // A dash or space outside ASCII takes up to three bytes.
        while next < bytes.count, next - digits.endIndex <= 5, isSeparator(bytes[next]) { next += 1 }
        guard next > digits.endIndex, next < bytes.count else { return nil }
        return number(digits, bytes[next...].prefix(while: isDigit))
    }

    /// The end of a day that begins here; nil if there is none.
    private static func endOfDay(_ bytes: [UInt8], at index: Int) -> Int? {
        let first = bytes[index...].prefix(while: isDigit)
        if first.count == 6 || first.count == 8 {
            let (day, month, year) = (first.prefix(2), first.dropFirst(2).prefix(2), first.dropFirst(4))
            let isDayFirst = isDay(year.count == 2 ? Array("20".utf8) + year : Array(year), month, day)
            let isYearFirst =
                first.count == 8 && isDay(Array(first.prefix(4)), first.dropFirst(4).prefix(2), first.suffix(2))
            return isDayFirst || isYearFirst ? first.endIndex : nil
        }
        // Its numbers are separated by one character, the same both times.
        guard let mark = bytes[first.endIndex...].first, [0x2D, 0x2F, 0x2E].contains(mark) else { return nil }
        let second = bytes[(first.endIndex + 1)...].prefix(while: isDigit)
        guard bytes[second.endIndex...].first == mark else { return nil }
        let third = bytes[(second.endIndex + 1)...].prefix(while: isDigit)
        let isYearFirst = second.count == 2 && third.count == 2 && isDay(Array(first), second, third)
        return isYearFirst || isDay(Array(third), second, first) ? third.endIndex : nil
    }

    private static func isDay(_ year: [UInt8], _ month: ArraySlice<UInt8>, _ day: ArraySlice<UInt8>) -> Bool {
        guard year.count == 4, (1...2).contains(month.count), (1...2).contains(day.count) else { return false }
        func padded(_ digits: ArraySlice<UInt8>) -> String {
            (digits.count == 1 ? "0" : "") + String(decoding: digits, as: UTF8.self)
        }
        let text = "\(String(decoding: year, as: UTF8.self))-\(padded(month))-\(padded(day))"
        guard let found = try? Day(validating: text) else { return false }
        return (1990...2100).contains(found.year)
    }

    private static func number(_ year: ArraySlice<UInt8>, _ number: ArraySlice<UInt8>) -> Number? {
        guard (1...8).contains(number.count), let year = Int(String(decoding: year, as: UTF8.self)),
            (2000...2999).contains(year), let number = Int(String(decoding: number, as: UTF8.self)), number > 0
        else { return nil }
        return Number(year: year, number: number)
    }

    /// A reference that begins with `RF` here, unbroken or in groups of four.
    private static func creditorReference(_ bytes: [UInt8], at index: Int) -> String? {
        guard bytes[index...].starts(with: "RF".utf8) || bytes[index...].starts(with: "rf".utf8) else { return nil }
        var end = index
        var body: String?
        // The longest valid one.
        while end < bytes.count, end - index < 32, isDigit(bytes[end]) || isLetter(bytes[end]) || bytes[end] == 0x20 {
            end += 1
            if let found = CreditorReference.body(of: String(decoding: bytes[index..<end], as: UTF8.self)) {
                body = found
            }
        }
        return body
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        [0x20, 0x2D, 0x2F, 0x2E, 0x5F, 0x3A].contains(byte) || byte >= 0x80
    }

    /// The payer, as a bank writes it into the text of a table: after `VIR DE`, up to the reason; nil if there is none.
    /// In a text of several parts separated by ` / `, the first part that names one.
    static func payer(in text: String) -> String? {
        guard text.utf8.count <= 4000 else { return nil }
        if let payer = payer(inOne: text) { return payer }
        var rest = text[...]
        for _ in 1...20 {
            // text: bytes, at most four thousand
            guard let mark = rest.utf8.firstRange(of: " / ".utf8) else { break }
            rest = rest[mark.upperBound...]
            if let payer = payer(inOne: String(rest)) { return payer }
        }
        return nil
    }

    private static func payer(inOne text: String) -> String? {
        let words = text.asciiUppercased.split(atByte: 0x20, omittingEmpty: true).prefix(40).map(String.init)
        guard let first = words.first, openings.contains(where: { first.hasSameBytes(as: $0) }) else { return nil }
        // `/DE`, `DE:` introduce the name anywhere.
        let marked = words.firstIndex { word in ["/DE", "DE:"].contains { word.hasSameBytes(as: $0) } }
        let start =
            marked.map { $0 + 1 }
            ?? words.firstIndex { word in
                !(openings + fillers).contains { word.hasSameBytes(as: $0) } && !word.utf8.allSatisfy { !isLetter($0) }
            } ?? words.endIndex
        let name = words[start...].prefix { word in
            !word.hasBytePrefix("/") && !closings.contains { word.hasSameBytes(as: $0) }
                && numbers(in: word).isEmpty
        }
        return name.isEmpty ? nil : name.prefix(12).joined(separator: " ")
    }

    /// Reversals included.
    private static let openings = [
        "VIR", "VIRT", "VIREMENT", "PRLV", "PRELEVEMENT", "VRT", "REJET", "REJ", "RETOUR", "IMPAYE", "IMPAYÉ",
        "IMPAYé", "EXTOURNE",
    ]
    private static let fillers = [
        "SEPA", "RECU", "REÇU", "REçU", "INST", "INSTANTANE", "DE", "DE:", "EN", "VOTRE", "FAVEUR", "EMIS", "VERS",
        "POUR", "A", "M", "MME",
    ]
    private static let closings = [
        "MOTIF", "MOTIF:", "REF", "REF:", "REFERENCE", "REFERENCE:", "COT", "COTISATION", "FACTURE", "LIB",
        "PROVISION",
    ]
}
