import ClubProtocol

/// An account of the club, as files and people write it: by its IBAN, by the bank's own account number, which the IBAN
/// contains, or by the number of a French RIB, which has the bank and branch codes before it and two check digits after
/// it.
enum BankAccount {
    /// Whether both refer to the same account.
    static func isOne(_ one: String, _ other: String) -> Bool {
        if one.hasSameBytes(as: other) { return true }
        let (first, second) = (signs(one), signs(other))
        guard !isIBAN(one) || !isIBAN(other) else { return first == second }
        guard !first.isEmpty, !second.isEmpty else { return false }
        return first == second || holds(first, isIBAN: isIBAN(one), second)
            || holds(second, isIBAN: isIBAN(other), first)
    }

    static func isIBAN(_ text: String) -> Bool { (try? IBAN(validating: text)) != nil }

    /// Whether an IBAN or a RIB contains an account number.
    private static func holds(_ whole: [UInt8], isIBAN: Bool, _ number: [UInt8]) -> Bool {
        let national = isIBAN ? Array(whole.dropFirst(4)) : whole
        if isIBAN, national == number { return true }
        // Five digits for the bank, five for the branch, eleven characters for the account, two check digits.
        let isFrench =
            isIBAN ? ["FR", "MC"].contains { whole.starts(with: $0.utf8) } : national.prefix(10).allSatisfy(isDigit)
        if isFrench, national.count == 23 {
            let isAccount = number.count > 4 && withoutZeros(number) == withoutZeros(Array(national[10..<21]))
            return isAccount || number.elementsEqual(national[..<21]) || number.elementsEqual(national[5..<21])
        }
        // In other countries the account is at the end, after the bank.
        return isIBAN && number.count >= 8 && national.suffix(number.count) == number[...]
    }

    private static func withoutZeros(_ number: [UInt8]) -> ArraySlice<UInt8> { number.drop { $0 == 0x30 } }

    /// Its letters and digits.
    private static func signs(_ text: String) -> [UInt8] {
        text.asciiUppercased.utf8.filter { isDigit($0) || (0x41...0x5A).contains($0) || $0 >= 0x80 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
