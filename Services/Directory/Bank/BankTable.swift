import ClubProtocol

/// A table of a bank: finds the headers among what stands before them, and makes lines of the rows below.
struct BankTable {
    /// What a column says. In the order of what is meant where two say the same.
    enum Column: CaseIterable {
        case bookedOn, valueOn, label, detail, counterparty, iban, debit, credit, amount, direction, reference,
            currency, account

        /// Headers, folded by ``Folding/key(_:)``.
        var titles: [String] {
            switch self {
            case .bookedOn:
                [
                    "datedecomptabilisation", "datecomptabilisation", "datecomptable", "datedecompte", "bookingdate",
                    "dateoperation", "datedoperation", "datedeloperation", "dateop", "date",
                ]
            case .valueOn: ["datevaleur", "datedevaleur", "valeur", "dateval", "valuedate"]
            case .label:
                [
                    "libelleoperation", "libelledeloperation", "libelle", "libelledetaille", "libellelong", "intitule",
                    "nature", "naturedeloperation", "description", "label", "communication", "libellesimplifie",
                ]
            case .detail:
                [
                    "informationscomplementaires", "detail", "details", "motif", "complement", "libellecomplementaire",
                    "commentaire", "infoscomplementaires",
                ]
            case .counterparty:
                [
                    "nomducontrepartie", "nomdelacontrepartie", "contrepartie", "nomcontrepartie", "tiers",
                    "emetteur", "donneurdordre", "nomdudonneurdordre", "beneficiaire", "emetteurbeneficiaire",
                    "counterparty",
                ]
            case .iban:
                ["ibancontrepartie", "ibandelacontrepartie", "ibandutiers", "ibanemetteur", "comptecontrepartie"]
            case .debit: ["debit", "debiteuros", "debiteur", "montantdebit", "debits", "montantaudebit"]
            case .credit: ["credit", "crediteuros", "crediteur", "montantcredit", "credits", "montantaucredit"]
            case .amount:
                [
                    "montant", "montanteuros", "montanteur", "montantdeloperation", "montantoperation",
                    "montanteneuros", "amount",
                ]
            case .direction: ["sens", "sensoperation", "debitcredit", "dc", "cd"]
            case .reference:
                ["reference", "referenceoperation", "referencedeloperation", "ref", "numerodoperation", "numeropiece"]
            case .currency: ["devise", "monnaie", "currency"]
            case .account: ["compte", "numerodecompte", "numerocompte", "iban", "accountnum"]
            }
        }

        private static let known: [String: (column: Column, rank: Int)] = {
            var known: [String: (column: Column, rank: Int)] = [:]
            for column in allCases {
                for (rank, title) in column.titles.enumerated() { known[title] = (column, rank) }
            }
            return known
        }()

        /// Where each column stands; nil where the cells are no headers.
        static func places(in cells: [String]) -> [Column: Int]? {
            guard cells.count <= 200 else { return nil }
            var best: [Column: (place: Int, rank: Int)] = [:]
            for (place, cell) in cells.enumerated() {
                guard let (column, rank) = known[Folding.key(cell)], rank < best[column]?.rank ?? .max else { continue }
                best[column] = (place, rank)
            }
            let hasMoney = best[.amount] != nil || best[.debit] != nil || best[.credit] != nil
            return best[.bookedOn] != nil && hasMoney ? best.mapValues(\.place) : nil
        }
    }

    /// Between which bytes and after how many lines headers are looked for.
    private static let preamble = (bytes: 64 << 10, records: 60)

    let delimiter: UInt8
    private let account: String?
    private var reader: CSVReader
    private var places: [Column: Int]?
    private var ownAccount: String?
    /// Those below the headers: an amount is read by what all of them have for a decimal sign.
    private var records: [CSVReader.Record] = []
    private var decimal = BankAmount.DecimalSign.unknown
    private(set) var file = BankFile(.csv)

    /// - Parameters:
    ///   - head: the beginning of the file.
    ///   - account: the account as the sender says it, for a file that says no IBAN.
    /// - Throws: 422 where nothing is a line of headers.
    init(beginning head: [UInt8], account: String?) throws(Problem) {
        let candidates = [UInt8(ascii: ";"), UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: "|")]
        let found = candidates.first { candidate in
            var reader = CSVReader(delimiter: candidate)
            let head = head.prefix(Self.preamble.bytes)
            let records = reader.read(head) + (head.count < Self.preamble.bytes ? reader.finish() : [])
            return records.prefix(Self.preamble.records).contains {
                $0.fault == nil && Column.places(in: $0.cells) != nil
            }
        }
        guard let found else {
            throw Problem(
                .invalid,
                "No line of the file holds the headers of a bank's table: a day (Date, Date opération), and Montant or Débit and Crédit."
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
        if let places {
            let money = [places[.debit], places[.credit], places[.amount]].compactMap { $0 }
            for cells in records.map(\.cells) {
                for place in money where place < cells.count {
                    decimal = decimal.joined(BankAmount.decimalSign(in: cells[place]))
                }
            }
            for (index, record) in records.enumerated() { try add(record, row: index + 1, places) }
            records = []
        }
        let account = try name(of: ownAccount ?? "")
        if file.accounts.isEmpty, !account.isEmpty { file.accounts = [account] }
        return file
    }

    private mutating func take(_ record: CSVReader.Record) throws(Problem) {
        guard places != nil else {
            self.places = record.fault == nil ? Column.places(in: record.cells) : nil
            if self.places == nil { lookForAccount(in: record.cells) }
            return
        }
        try BankFile.checkCount(records.count)
        records.append(record)
    }

    private mutating func add(_ record: CSVReader.Record, row: Int, _ places: [Column: Int]) throws(Problem) {
        if let fault = record.fault {
            try file.reject(row, "The row \(fault).")
            return
        }
        var entry: BankEntry
        do throws(InvalidText) {
            entry = try read(record.cells, places)
        } catch {
            try file.reject(row, error.reason)
            return
        }
        entry.account = try name(of: entry.account)
        guard !entry.account.isEmpty else {
            throw Problem.invalid("account", "is missing: the file does not say whose account it is")
        }
        try file.add(entry)
    }

    private func read(_ cells: [String], _ places: [Column: Int]) throws(InvalidText) -> BankEntry {
        func cell(_ column: Column) -> String {
            guard let place = places[column], place < cells.count else { return "" }
            return String(cells[place].trimmingBlanks)
        }
        func checked<Value>(_ title: String, _ value: () throws(InvalidText) -> Value) throws(InvalidText) -> Value {
            do throws(InvalidText) { return try value() } catch { throw InvalidText("The \(title) \(error.reason).") }
        }
        guard !cell(.bookedOn).isEmpty else { throw InvalidText("The row has no day.") }
        let bookedOn = try checked("day") { () throws(InvalidText) in
            try BankAmount.day(cell(.bookedOn), of: .payment)
        }
        let valueOn =
            cell(.valueOn).isEmpty
            ? nil
            : try checked("value date") { () throws(InvalidText) in try BankAmount.day(cell(.valueOn), of: .value) }
        let currency = cell(.currency).asciiUppercased
        guard ["", "EUR", "EURO", "EUROS", "€"].contains(where: { currency.hasSameBytes(as: $0) }) else {
            throw InvalidText("The row is in another currency than euros.")
        }
        let cents = try checked("amount") { () throws(InvalidText) in
            try self.cents(
                debit: cell(.debit), credit: cell(.credit), amount: cell(.amount), direction: cell(.direction))
        }
        let label = cell(.label)
        let text = [label, cell(.detail), cell(.reference)].filter { !$0.isEmpty }
        return BankEntry(
            account: cell(.account).isEmpty ? ownAccount ?? "" : Self.number(cell(.account)),
            reference: BankText.reference(cell(.reference)).flatMap(BankText.line)?.text, bookedOn: bookedOn,
            valueOn: valueOn, cents: cents,
            counterparty: BankText.line(cell(.counterparty)), counterpartyIBAN: try? IBAN(validating: cell(.iban)),
            remittance: BankText.remittance(text.joined(separator: " ")))
    }

    /// Of what the file says of the account, and the sender, what says more.
    ///
    /// - Throws: 422 where they say two.
    private func name(of own: String) throws(Problem) -> String {
        guard let account, BankAccount.isIBAN(own) else { return account ?? own }
        guard BankAccount.isOne(own, account) else {
            throw Problem.invalid("account", "is another than the file says: \(own)")
        }
        return own
    }

    /// In cents, below zero what went out.
    private func cents(
        debit: String, credit: String, amount: String, direction: String
    ) throws(InvalidText) -> Int {
        let out = debit.isEmpty ? 0 : try BankAmount.cents(debit, decimal: decimal)
        let came = credit.isEmpty ? 0 : try BankAmount.cents(credit, decimal: decimal)
        guard out == 0 || came == 0 else { throw InvalidText("is both debit and credit") }
        var cents = came - abs(out)
        if cents == 0, !amount.isEmpty {
            cents = try BankAmount.cents(amount, decimal: decimal)
            let isOut = ["d", "debit", "dbit"].contains { Folding.key(direction).hasSameBytes(as: $0) }
            if isOut, cents > 0 { cents = -cents }
        }
        guard cents != 0 else {
            throw InvalidText(debit.isEmpty && credit.isEmpty && amount.isEmpty ? "is missing" : "is nothing")
        }
        return cents
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
            guard Column.account.titles.contains(where: { title.hasSameBytes(as: $0) }) else { continue }
            let value = parts.count > 1 ? String(parts[1]) : place + 1 < cells.count ? cells[place + 1] : ""
            let number = Self.number(value)
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

    /// An IBAN without blanks; another number as it is.
    static func number(_ text: String) -> String {
        (try? IBAN(validating: text))?.text ?? BankText.line(text)?.text ?? ""
    }
}
