/// An e-mail address as the club mails to it: the part of RFC 5321 that the world uses, at most 254 bytes, stored with a
/// lower-case domain.
package struct EmailAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is no e-mail address")
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, let local = parts.first, let domain = parts.last,
            (1...64).contains(local.utf8.count), !local.hasPrefix("."), !local.hasSuffix("."), !local.contains(".."),
            local.utf8.allSatisfy(Self.isAtom)
        else { throw refusal }
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2,
            labels.allSatisfy({ label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            })
        else { throw refusal }
        self.text = "\(local)@\(domain.lowercased())"
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema {
        TextSchema(format: "email", maxLength: 254, example: "contact@example.org")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// `atext` and the dot of RFC 5321.
    private static func isAtom(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~.".utf8.contains(byte)
    }
}

/// The nine digits by which INSEE knows a firm; the last one is a Luhn check digit.
package struct Siren: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 9, let digits = Luhn.digits(text) else { throw InvalidText("is no SIREN (9 digits)") }
        guard Luhn.sum(digits) % 10 == 0 else { throw InvalidText("is no SIREN: the check digit is wrong") }
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
            throw InvalidText("is no SIRET (14 digits)")
        }
        let plain = digits.reduce(0, +)
        guard Luhn.sum(digits) % 10 == 0 || (text.hasPrefix("356000000") && plain % 5 == 0) else {
            throw InvalidText("is no SIRET: the check digit is wrong")
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
                throw InvalidText("begins with nine digits that are no SIREN")
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

/// A French postal code: five digits, kept as text.
package struct PostalCode: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text >= "01000" else {
            throw InvalidText("is no postal code (5 digits)")
        }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{5}$", example: "64000") }
}

/// The code of a département as the State writes it: `01`…`95`, `2A`, `2B`, `971`…`976`.
package struct Departement: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard Self.codes.contains(text) else { throw InvalidText("is no département code") }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// The code of the département in which a postal code lies, as far as the code tells: Corsica by its third digit.
    package init?(postalCode: PostalCode) {
        let code = postalCode.text
        let guess: String
        if code.hasPrefix("97") {
            guess = String(code.prefix(3))
        } else if code.hasPrefix("20") {
            guess = code < "20200" ? "2A" : "2B"
        } else {
            guess = String(code.prefix(2))
        }
        guard let departement = try? Departement(validating: guess) else { return nil }
        self = departement
    }

    /// Every code, in the order of the State: 96 of the metropole (20 is `2A` and `2B`) and five overseas.
    package static let all: [Departement] = codes.sorted().map { Departement(stringLiteral: $0) }

    private static let codes: Set<String> = Set(
        (1...95).filter { $0 != 20 }.map { $0 < 10 ? "0\($0)" : "\($0)" }
            + ["2A", "2B", "971", "972", "973", "974", "976"])

    package static var schema: TextSchema {
        TextSchema(pattern: "^([0-9]{2}|2[AB]|97[12346])$", example: "64")
    }

    package static func < (left: Departement, right: Departement) -> Bool { left.text < right.text }
}

/// The address of a web page: `http` or `https`, a host, no user, at most 2,000 bytes.
package struct WebAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is no web address (https://…)")
        let lowered = text.lowercased()
        let prefix = lowered.hasPrefix("https://") ? 8 : lowered.hasPrefix("http://") ? 7 : 0
        guard prefix > 0, text.utf8.count <= 2000, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !text.contains(where: { "\"<>\\^`{|}".contains($0) })
        else { throw refusal }
        let authority = text.dropFirst(prefix).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@"), authority.contains("."), !authority.hasPrefix("."),
            !authority.hasSuffix(".")
        else { throw refusal }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema {
        TextSchema(format: "uri", maxLength: 2000, example: "https://www.example.org/")
    }
}

/// A telephone number as people write it: digits with an optional leading `+`; blanks, dots, hyphens and brackets are
/// dropped; 6 to 15 digits (ITU-T E.164).
package struct Telephone: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let kept = text.filter { !" .-()\u{A0}\u{202F}".contains($0) }
        let digits = kept.hasPrefix("+") ? kept.dropFirst() : kept[...]
        guard (6...15).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw InvalidText("is no telephone number")
        }
        self.text = kept
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema { TextSchema(maxLength: 16, example: "+33559000000") }
}

/// An amount in the smallest unit of its currency: `{"amount": 120000, "currency": "EUR"}` is 1,200 euros.
package struct Money: Codable, Hashable, Sendable {
    package enum Currency: String, Codable, CaseIterable, Sendable {
        case eur = "EUR"
    }

    package var amount: Int
    package var currency: Currency

    package init(cents: Int, _ currency: Currency = .eur) {
        amount = cents
        self.currency = currency
    }
}

/// A field of a merge patch (RFC 7396): absent leaves it, `null` clears it, a value sets it.
package typealias Patched<Value> = Value??
