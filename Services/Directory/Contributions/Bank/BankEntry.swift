import ClubProtocol
import Crypto

/// One line of a bank's file, as it was read.
struct BankEntry: Sendable {
    var account: String
    /// The bank's own reference, where it has one.
    var reference: String?
    /// What the bank identifies it by; nil where the bank does not.
    var identity: String?
    var bookedOn: Day
    var valueOn: Day?
    /// Below zero for outgoing money.
    var cents: Int
    var counterparty: Line?
    /// The party on whose behalf the counterparty paid or was paid.
    var ultimateParty: Line?
    var counterpartyIBAN: IBAN?
    var remittance: String?
    var endToEnd: Line?
    /// For a part of an entry, that entry: its place in the file, from 1, and the amount of the whole in cents.
    var batch: (number: Int, cents: Int)?

    /// A key that is the same for this line in every file, in hexadecimal.
    ///
    /// - Parameters:
    ///   - count: how many such lines came before it, where the bank has no reference; or in the same entry.
    ///   - repetition: its index, from 0, among the lines to which the bank gives the same reference.
    func key(_ count: Int, repetition: Int = 0) -> String {
        var hash = SHA256()
        var parts = [identity ?? "", identity == nil ? signature : "", bookedOn.text, "\(cents)", "\(count)"]
        if repetition > 0 { parts.append("\(repetition)") }
        for part in parts {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0x1F])
        }
        return Self.hexadecimal(hash.finalize())
    }

    static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// What identifies a line without a reference of its own: who paid, and why.
    private var signature: String {
        ([counterparty?.text ?? "", remittance ?? "", endToEnd?.text ?? ""] + [ultimateParty?.text].compactMap { $0 })
            .joined(separator: "\u{1E}")
    }

    /// A key shared by lines with the same day, amount and text: their order distinguishes them.
    var twins: String { "\(account)\u{1F}\(bookedOn)\u{1F}\(cents)\u{1F}\(identity ?? "")\u{1F}\(signature)" }
    /// A key shared by lines that the bank distinguishes only by their texts and order.
    var namesakes: String { "\(account)\u{1F}\(bookedOn)\u{1F}\(cents)\u{1F}\(identity ?? "")" }
}

/// A bank's file, as it was read. Everything in it is bounded: see ``BankFile/limits``.
struct BankFile: Sendable {
    /// Bytes of the file, lines, accounts, and faults that are kept.
    static let limits = (bytes: 16 << 20, lines: 20_000, accounts: 50, faults: 1000)

    var format: BankStatement.Format
    var accounts: [String] = []
    /// Each with its key.
    private(set) var entries: [(entry: BankEntry, key: String)] = []
    private(set) var faults: [BankStatement.Fault] = []
    private(set) var rejected = 0
    /// Titles of non-empty columns from which nothing was read.
    var ignored: [String] = []
    private var counts: [ByteKey: Int] = [:]
    /// For lines with the same bank reference and the same text: their indexes among all lines with that reference.
    private var repetitions: [ByteKey: [Int]] = [:]

    init(_ format: BankStatement.Format) {
        self.format = format
    }

    /// - Throws: 422 if there are too many lines.
    mutating func add(_ entry: BankEntry) throws(Problem) {
        try add(entry, key: entry.key(count("T\u{1F}\(entry.twins)")))
    }

    /// A line with a bank reference. Banks give one reference to several entries, as to all of a batch: these are
    /// distinguished by their texts and their order. The same line in another statement of the file is the same line.
    ///
    /// - Parameters:
    ///   - place: within its entry, from 0.
    ///   - statement: the number of its statement within the file.
    mutating func add(_ entry: BankEntry, place: Int, statement: Int) throws(Problem) {
        let twins = "\(place)\u{1F}\(entry.twins)"
        let before = count("S\u{1F}\(statement)\u{1F}\(twins)")
        var known = repetitions[ByteKey(twins), default: []]
        if before == known.count { known.append(count("N\u{1F}\(place)\u{1F}\(entry.namesakes)")) }
        repetitions[ByteKey(twins)] = known
        try add(entry, key: entry.key(place, repetition: known[before]))
    }

    /// How often this was counted before.
    private mutating func count(_ text: String) -> Int {
        defer { counts[ByteKey(text), default: 0] += 1 }
        return counts[ByteKey(text), default: 0]
    }

    private mutating func add(_ entry: BankEntry, key: String) throws(Problem) {
        try checkCount()
        if !accounts.contains(where: { $0.hasSameBytes(as: entry.account) }) {
            guard accounts.count < Self.limits.accounts else {
                throw Problem(.invalid, "The file is of more than \(Self.limits.accounts) accounts: split it.")
            }
            accounts.append(entry.account)
        }
        entries.append((entry, key))
    }

    /// Renames the accounts to the names used by the files imported before.
    mutating func rename(_ names: [ByteKey: String]) {
        for index in entries.indices {
            let account = entries[index].entry.account
            entries[index].entry.account = names[ByteKey(account)] ?? account
        }
        var renamed: [String] = []
        for account in accounts.map({ names[ByteKey($0)] ?? $0 })
        where !renamed.contains(where: { $0.hasSameBytes(as: account) }) { renamed.append(account) }
        accounts = renamed
    }

    mutating func reject(_ place: Int, _ detail: String) throws(Problem) {
        try checkCount()
        rejected += 1
        if faults.count < Self.limits.faults { faults.append(.init(place: place, detail: detail)) }
    }

    private func checkCount() throws(Problem) { try Self.checkCount(entries.count + rejected) }

    /// - Parameter count: the number of lines already added.
    static func checkCount(_ count: Int) throws(Problem) {
        guard count < limits.lines else {
            throw Problem(.invalid, "The file has more than \(limits.lines) lines: split it.")
        }
    }
}

/// Texts of banks, as they are kept: on one line, without invisible characters, truncated where they are too long.
enum BankText {
    /// - Returns: nil if nothing is left.
    static func line(_ text: String) -> Line? {
        let short = String(cleaned(text, scalars: 200).trimmingBlanks)
        return short.isEmpty ? nil : try? Line(validating: short)
    }

    /// - Returns: nil for placeholders of a missing reference: `NOTPROVIDED` of ISO 20022, `NONREF` of SWIFT, and the
    ///   like; only zeros or punctuation.
    static func reference(_ text: String) -> String? {
        let bytes = text.asciiUppercased.utf8.filter { ![0x20, 0x2D, 0x2E, 0x2F, 0x5F].contains($0) }
        let isNone = bytes.allSatisfy { $0 == 0x30 } || placeholders.contains { $0.utf8.elementsEqual(bytes) }
        return isNone ? nil : text
    }

    private static let placeholders = [
        "NOTPROVIDED", "NONREF", "NOREF", "NOREFERENCE", "NONE", "UNKNOWN", "NULL", "NA", "NEANT", "SANSREFERENCE",
    ]

    /// The maximum number of bytes of joined texts.
    private static let longest = 4 << 10

    /// The texts joined, then those of the others that have a word not seen before.
    ///
    /// - Parameter name: a name shown elsewhere, whose words do not count as new.
    static func joined(_ texts: [String], _ others: [String], besides name: String = "") -> String {
        var whole = texts.joined(separator: " ")
        var said = words(whole).union(words(name))
        for text in others where whole.utf8.count < longest {
            let text = text.trimmingBlanks.prefix(scalars: longest)
            let words = words(String(text))
            guard !words.isSubset(of: said) else { continue }
            said.formUnion(words)
            whole += whole.isEmpty ? String(text) : " / \(text)"
        }
        return whole
    }

    private static func words(_ text: String) -> Set<ByteKey> {
        let bytes = text.asciiUppercased.utf8.prefix(longest)
        return Set(bytes.split { $0 <= 0x20 }.map { ByteKey(String(decoding: $0, as: UTF8.self)) })
    }

    static func remittance(_ text: String) -> String? {
        let short = String(cleaned(text, scalars: 1000).trimmingBlanks)
        return (try? Prose(validating: short))?.text
    }

    private static func cleaned(_ text: String, scalars limit: Int) -> String {
        let kept = cleaned(text, scalars: limit, parting: false)
        // Between combining marks an invisible character becomes a space: removing it could leave more marks in a row
        // than any letter has.
        return StreamSafe.accepts(kept) ? kept : cleaned(text, scalars: limit, parting: true)
    }

    /// - Parameter isParting: whether invisible characters become spaces instead of being removed.
    private static func cleaned(_ text: String, scalars limit: Int, parting isParting: Bool) -> String {
        var kept = String.UnicodeScalarView()
        var count = 0
        var isBlank = true
        for scalar in text.unicodeScalars {
            guard count < limit else { break }
            switch scalar.value {
            case 0x202A...0x202E, 0x2066...0x2069, 0x200B, 0x200E, 0x200F, 0x061C, 0x2060, 0xFEFF, 0xAD, 0xFFFE, 0xFFFF:
                guard isParting else { continue }
                fallthrough
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
