/// The nine digits by which INSEE identifies a company; the last one is a Luhn check digit.
package struct Siren: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 9, let digits = Luhn.digits(text) else {
            throw InvalidText("is not a valid SIREN (9 digits)")
        }
        guard Luhn.sum(digits) % 10 == 0 else { throw InvalidText("is not a valid SIREN: the check digit is wrong") }
        self.text = text
    }

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{9}$", example: "732829320") }
}

/// The fourteen digits by which INSEE identifies an establishment: the company's SIREN and five more digits, with a
/// Luhn check. For La Poste (SIREN 356000000) the plain sum of the digits must be a multiple of five instead.
package struct Siret: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 14, let digits = Luhn.digits(text) else {
            throw InvalidText("is not a valid SIRET (14 digits)")
        }
        let plain = digits.reduce(0, +)
        guard Luhn.sum(digits) % 10 == 0 || (text.utf8.starts(with: "356000000".utf8) && plain % 5 == 0) else {
            throw InvalidText("is not a valid SIRET: the check digit is wrong")
        }
        self.text = text
    }

    /// The company's number, which is its first nine digits.
    ///
    /// - Throws: if these nine digits are not a valid SIREN. One wrong number in ten still passes the check of the
    ///   whole.
    package var siren: Siren {
        get throws(InvalidText) {
            guard let siren = try? Siren(validating: String(text.prefix(9))) else {
                throw InvalidText("does not begin with a valid SIREN")
            }
            return siren
        }
    }

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{14}$", example: "73282932000074") }
}

/// The Luhn check (ISO/IEC 7812), as INSEE uses it.
package enum Luhn {
    static func digits(_ text: String) -> [Int]? {
        var digits: [Int] = []
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            digits.append(Int(byte - UInt8(ascii: "0")))
        }
        return digits
    }

    static func sum(_ digits: [Int]) -> Int {
        digits.reversed().enumerated().reduce(0) { sum, item in
            let value = item.offset.isMultiple(of: 2) ? item.element : item.element * 2
            return sum + (value > 9 ? value - 9 : value)
        }
    }

    /// The digit to append to `prefix` for it to pass.
    package static func checkDigit(for prefix: String) -> Int {
        let digits = (digits(prefix) ?? []) + [0]
        return (10 - sum(digits) % 10) % 10
    }
}
