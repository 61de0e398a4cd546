import ClubProtocol
import Crypto

/// One line of a bank's file, as it was read.
struct BankEntry: Sendable {
    var account: String
    /// The bank's own, where it has one.
    var reference: String?
    /// By what the bank tells it from all others; nil where it does not.
    var identity: String?
    var bookedOn: Day
    var valueOn: Day?
    /// Below zero where money went out.
    var cents: Int
    var counterparty: Line?
    var counterpartyIBAN: IBAN?
    var remittance: String?
    var endToEnd: Line?

    /// What it has in common with itself in every file, hexadecimal.
    ///
    /// - Parameter count: how many such lines stood before it, where the bank has no reference; or in the same entry.
    func key(_ count: Int) -> String {
        var hash = SHA256()
        for part in [identity ?? "", identity == nil ? signature : "", bookedOn.text, "\(cents)", "\(count)"] {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0x1F])
        }
        return Self.hexadecimal(hash.finalize())
    }

    static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// What tells a line without a reference of its own: who, and why.
    private var signature: String {
        [counterparty?.text ?? "", remittance ?? "", endToEnd?.text ?? ""].joined(separator: "\u{1E}")
    }

    /// Those of one day, one amount and one text are told by their order.
    var twins: ByteKey { ByteKey("\(account)\u{1F}\(bookedOn)\u{1F}\(cents)\u{1F}\(identity ?? "")\u{1F}\(signature)") }
}

/// A bank's file, as it was read. Everything in it is bounded: see ``BankFile/limits``.
struct BankFile: Sendable {
    /// In bytes of the file, in lines, and in faults that are kept.
    static let limits = (bytes: 16 << 20, lines: 20_000, faults: 1000)

    var format: BankStatement.Format
    var accounts: [String] = []
    /// Each with its key.
    private(set) var entries: [(entry: BankEntry, key: String)] = []
    private(set) var faults: [BankStatement.Fault] = []
    private(set) var rejected = 0
    private var counts: [ByteKey: Int] = [:]

    init(_ format: BankStatement.Format) {
        self.format = format
    }

    /// - Throws: 422 for more lines than are taken.
    mutating func add(_ entry: BankEntry) throws(Problem) {
        let count = counts[entry.twins, default: 0]
        counts[entry.twins] = count + 1
        try add(entry, count: count)
    }

    /// - Parameter count: by what it is told from others of the same reference.
    mutating func add(_ entry: BankEntry, count: Int) throws(Problem) {
        try checkCount()
        if !accounts.contains(where: { $0.hasSameBytes(as: entry.account) }) { accounts.append(entry.account) }
        entries.append((entry, entry.key(count)))
    }

    mutating func reject(_ place: Int, _ detail: String) throws(Problem) {
        try checkCount()
        rejected += 1
        if faults.count < Self.limits.faults { faults.append(.init(place: place, detail: detail)) }
    }

    private func checkCount() throws(Problem) {
        guard entries.count + rejected < Self.limits.lines else {
            throw Problem(.invalid, "The file has more than \(Self.limits.lines) lines: take it in parts.")
        }
    }
}

/// Texts of banks, as they are kept: on one line, without signs that nobody sees, cut where they are too long.
enum BankText {
    /// - Returns: nil for nothing.
    static func line(_ text: String) -> Line? {
        let short = String(cleaned(text, scalars: 200).trimmingBlanks)
        return short.isEmpty ? nil : try? Line(validating: short)
    }

    static func remittance(_ text: String) -> String? {
        let short = String(cleaned(text, scalars: 1000).trimmingBlanks)
        return (try? Prose(validating: short))?.text
    }

    private static func cleaned(_ text: String, scalars limit: Int) -> String {
        var kept = String.UnicodeScalarView()
        var count = 0
        var isBlank = true
        for scalar in text.unicodeScalars {
            guard count < limit else { break }
            switch scalar.value {
            case 0x202A...0x202E, 0x2066...0x2069, 0x200B, 0x200E, 0x200F, 0x061C, 0x2060, 0xFEFF, 0xAD, 0xFFFE, 0xFFFF:
                continue
            case 0...0x20, 0x7F...0xA0, 0x2028, 0x2029, 0x202F:
                if isBlank { continue }
                kept.append(" ")
                isBlank = true
            default:
                kept.append(scalar)
                isBlank = false
            }
            count += 1
        }
        return String(kept)
    }
}
