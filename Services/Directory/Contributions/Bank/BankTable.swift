import ClubProtocol
import ServiceKit

/// A bank's table: finds the headers among the lines before them, and turns the rows below into lines.
struct BankTable {
    /// The limits, in bytes and in records, within which headers are looked for.
    private static let preamble = (bytes: 64 << 10, records: 60)

    let delimiter: UInt8
    private let account: String?
    private var reader: CSVReader
    private var columns: BankColumns?
    private var ownAccount: String?
    /// The rows below the headers: an amount is read with the decimal sign that they all use.
    private var records: [CSVReader.Record] = []
    private var decimal = BankAmount.DecimalSign.unknown
    /// Columns whose text was included in a line's, and those of which something was skipped.
    private var told: Set<Int> = []
    private var leftAside: Set<Int> = []
    private(set) var file = BankFile(.csv)

    /// - Parameters:
    ///   - head: the beginning of the file.
    ///   - account: the account given by the sender, for a file that contains no IBAN.
    /// - Throws: 422 if no line has headers.
    init(beginning head: [UInt8], account: String?) throws(Problem) {
        let candidates = [UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: "|")]
        let found = candidates.first { candidate in
            var reader = CSVReader(delimiter: candidate)
            let head = head.prefix(Self.preamble.bytes)
            let records = reader.read(head) + (head.count < Self.preamble.bytes ? reader.finish() : [])
            return records.prefix(Self.preamble.records).contains {
                $0.fault == nil && BankColumns($0.cells) != nil
            }
        }
        guard let found else {
            throw Problem(
                .invalid,
                "No line of the file has the headers of a bank's table: a date (Date, Date opération), and Montant or Débit and Crédit."
            )
        }
        delimiter = found
        reader = CSVReader(delimiter: found)
        self.account = account.map(Self.number)
    }

    mutating func read(_ bytes: some Collection<UInt8>) throws(Problem) {
        for record in reader.read(bytes) { try take(record) }
    }

    mutating func finish() throws(Problem) -> BankFile {
        for record in reader.finish() { try take(record) }
        if var columns {
            columns.findDirection(in: records.filter { $0.fault == nil }.map(\.cells))
            for cells in records.map(\.cells) {
                for place in columns.money where place < cells.count {
                    decimal = decimal.joined(BankAmount.decimalSign(in: cells[place]))
                }
            }
            for (index, record) in records.enumerated() { try add(record, row: index + 1, columns) }
            records = []
            file.ignored = leftAside.subtracting(told).sorted().map { place in
                BankText.line(String(columns.titles[place].prefix(scalars: 100)))?.text ?? "column \(place + 1)"
            }
        }
        let account = try name(of: ownAccount ?? "")
        if file.accounts.isEmpty, !account.isEmpty { file.accounts = [account] }
        return file
    }

    private mutating func take(_ record: CSVReader.Record) throws(Problem) {
        guard !record.mayHoldOthers else {
            let place = columns == nil ? "A line before the headers" : "Row \(records.count + 1)"
            throw Problem(
                .invalid, "\(place) opens a quote and does not close it: the fields after it cannot be separated.")
        }
        guard columns != nil else {
            columns = record.fault == nil ? BankColumns(record.cells) : nil
            if columns == nil { lookForAccount(in: record.cells) }
            return
        }
        try BankFile.checkCount(records.count)
        records.append(record)
    }

    private mutating func add(_ record: CSVReader.Record, row: Int, _ columns: BankColumns) throws(Problem) {
        if let fault = record.fault {
            try file.reject(row, "The row \(fault).")
            return
        }
        var entry: BankEntry
        do throws(InvalidText) {
            entry = try read(record.cells, columns)
        } catch {
            try file.reject(row, error.reason)
            return
        }
        entry.account = try name(of: entry.account)
        guard !entry.account.isEmpty else {
            throw Problem.invalid("account", "is missing: the file does not name its account")
        }
        try file.add(entry)
    }

    private mutating func read(_ cells: [String], _ columns: BankColumns) throws(InvalidText) -> BankEntry {
        func cell(_ column: BankColumns.Column) -> String { columns.cell(column, in: cells) }
        guard !cell(.bookedOn).isEmpty else { throw InvalidText("The row has no date.") }
        let bookedOn = try Self.checked("day") { () throws(InvalidText) in
            try BankDay.day(cell(.bookedOn), of: .payment, isUTC: columns.isInUTC(.bookedOn))
        }
        let valueOn =
            cell(.valueOn).isEmpty
            ? nil
            : try Self.checked("value date") { () throws(InvalidText) in
                try BankDay.day(cell(.valueOn), of: .value, isUTC: columns.isInUTC(.valueOn))
            }
        guard cell(.status).isEmpty || Self.isBooked(cell(.status)) else {
            throw InvalidText("The row is not marked as booked.")
        }
        let currency = cell(.currency).asciiUppercased
        guard columns.isInEuros || ["", "EUR", "EURO", "EUROS", "€"].contains(where: { currency.hasSameBytes(as: $0) })
        else { throw InvalidText("The row is in a currency other than euros.") }
        let cents = try Self.checked("amount") { () throws(InvalidText) in try self.cents(cells, columns) }
        return BankEntry(
            account: cell(.account).isEmpty ? ownAccount ?? "" : Self.number(cell(.account)),
            reference: BankText.reference(cell(.reference)).flatMap(BankText.line)?.text, bookedOn: bookedOn,
            valueOn: valueOn, cents: cents,
            counterparty: BankText.line(cell(.counterparty)), counterpartyIBAN: try? IBAN(validating: cell(.iban)),
            remittance: BankText.remittance(text(cells, columns)))
    }

    private static func checked<Value>(
        _ title: String, _ value: () throws(InvalidText) -> Value
    ) throws(InvalidText) -> Value {
        do throws(InvalidText) { return try value() } catch { throw InvalidText("The \(title) \(error.reason).") }
    }

    /// Everything about who paid and why: the columns with that meaning, and all columns with no known meaning.
    private mutating func text(_ cells: [String], _ columns: BankColumns) -> String {
        func cell(_ column: BankColumns.Column) -> String { columns.cell(column, in: cells) }
        var more: [String] = []
        for place in columns.rest where place < cells.count && !cells[place].isBlank {
            if Self.isText(cells[place]) {
                told.insert(place)
                more.append(cells[place])
            } else {
                leftAside.insert(place)
            }
        }
        for place in columns.leftAside where place < cells.count && !cells[place].isBlank { leftAside.insert(place) }
        let texts = [cell(.label), cell(.detail), cell(.reference)].filter { !$0.isEmpty }
        return BankText.joined(texts, more, besides: cell(.counterparty))
    }

    /// Whether it is more than an amount, a number or a day, as in columns of balances, rates and other days.
    private static func isText(_ cell: String) -> Bool {
        let isNumber = (try? BankAmount.cents(cell)) != nil || (try? BankDay.day(cell, of: .value)) != nil
        return !isNumber
            && cell.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil }
    }

    /// How banks mark what is done; with any other status, such as `En attente` or `Refusé`, no money has come.
    private static func isBooked(_ status: String) -> Bool {
        let key = Folding.key(status)
        return [
            "execute", "executee", "comptabilise", "comptabilisee", "traite", "traitee", "valide", "validee",
            "effectue", "effectuee", "regle", "reglee", "termine", "terminee", "paye", "payee", "booked", "completed",
            "complete", "settled", "posted", "executed", "processed", "paid",
        ].contains { key.hasSameBytes(as: $0) }
    }

    /// The more specific of the account in the file and the account given by the sender.
    ///
    /// - Throws: 422 if they differ.
    private func name(of own: String) throws(Problem) -> String {
        guard let account, BankAccount.isIBAN(own) else { return account ?? own }
        guard BankAccount.isOne(own, account) else {
            throw Problem.invalid("account", "is not the account in the file: \(own)")
        }
        return own
    }

    /// In cents, below zero for outgoing money.
    private func cents(_ cells: [String], _ columns: BankColumns) throws(InvalidText) -> Int {
        let debit = columns.cell(.debit, in: cells)
        let credit = columns.cell(.credit, in: cells)
        let amount = columns.cell(.amount, in: cells)
        let word = columns.cell(.direction, in: cells)
        let direction = word.isEmpty ? nil : BankDirection(word)
        guard word.isEmpty || direction != nil else { throw InvalidText("is marked neither as debit nor as credit") }
        let out = debit.isEmpty ? 0 : try BankAmount.cents(debit, decimal: decimal)
        let came = credit.isEmpty ? 0 : try BankAmount.cents(credit, decimal: decimal)
        guard out == 0 || came == 0 else { throw InvalidText("is both debit and credit") }
        var cents = came - abs(out)
        var isSigned = true
        if cents == 0, !amount.isEmpty {
            cents = try BankAmount.cents(amount, decimal: decimal)
            isSigned = BankAmount.isNegative(amount) != nil
        }
        guard cents != 0 else {
            throw InvalidText(debit.isEmpty && credit.isEmpty && amount.isEmpty ? "is missing" : "is zero")
        }
        guard let direction else {
            // Where a column has the direction, a row in which it is empty has none.
            guard isSigned || !columns.has(.direction) else { throw InvalidText("is not marked as debit or credit") }
            return cents
        }
        guard !isSigned || (direction == .debit) == (cents < 0) else {
            throw InvalidText("is marked as both debit and credit")
        }
        return direction == .debit ? -abs(cents) : abs(cents)
    }

    /// `Compte;FR76…` or `Numéro de compte : FR76 …`, before the headers.
    private mutating func lookForAccount(in cells: [String]) {
        guard ownAccount == nil else { return }
        for (place, cell) in cells.prefix(20).enumerated() where cell.utf8.count <= 200 {
            let parts = cell.split(atByte: UInt8(ascii: ":"))
            for part in [Substring(cell)] + parts {
                if let iban = Self.iban(within: part) {
                    ownAccount = iban
                    return
                }
            }
            let title = Folding.key(String(parts.first ?? ""))
            guard BankColumns.Column.account.titles.contains(where: { title.hasSameBytes(as: $0) }) else { continue }
            // After the colon, or in the next cell that is not empty.
            let values = parts.dropFirst().prefix(1).map(String.init) + cells.dropFirst(place + 1).prefix(20)
            let number = Self.number(values.first { !$0.isBlank } ?? "")
            if number.utf8.contains(where: { (0x30...0x39).contains($0) }) { ownAccount = number }
        }
    }

    /// The IBAN at the end of a text, or the whole of it.
    private static func iban(within text: Substring) -> String? {
        let bytes = Array(text.removingScalars(where: \.isBlank).asciiUppercased.utf8)
        guard bytes.count >= 15 else { return nil }
        for start in max(0, bytes.count - 34)...(bytes.count - 15) {
            if let iban = try? IBAN(validating: String(decoding: bytes[start...], as: UTF8.self)) { return iban.text }
        }
        return nil
    }

    /// An IBAN without spaces; any other number unchanged.
    static func number(_ text: String) -> String {
        (try? IBAN(validating: text))?.text ?? BankText.line(text)?.text ?? ""
    }
}
