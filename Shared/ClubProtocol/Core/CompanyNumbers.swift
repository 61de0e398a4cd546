/// The nine digits by which INSEE knows a firm; the last one is a Luhn check digit.
package struct Siren: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 9, let digits = Luhn.digits(text) else {
            throw InvalidText("is not a valid SIREN (9 digits)")
        }
        guard Luhn.sum(digits) % 10 == 0 else { throw InvalidText("is not a valid SIREN: the check digit is wrong") }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{9}$", example: "732829320") }
}

/// The fourteen digits by which INSEE knows an establishment: its firm's SIREN and five digits, Luhn checked; those of
/// La Poste (SIREN 356000000) are checked by the plain sum of their digits, a multiple of five.
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

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// The firm's number, with which it begins.
    ///
    /// - Throws: when these nine digits are no SIREN: one wrong number in ten has a check digit that is right for the whole.
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

/// The check of ISO/IEC 7812 that INSEE uses.
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

    /// The digit that makes `prefix` pass.
    package static func checkDigit(for prefix: String) -> Int {
        let digits = (digits(prefix) ?? []) + [0]
        return (10 - sum(digits) % 10) % 10
    }
}
