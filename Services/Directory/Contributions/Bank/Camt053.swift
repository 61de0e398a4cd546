import ClubProtocol

/// Reads ISO 20022 statements, `camt.053.001.02` to `.13`: booked entries in euros, and for a batch each of its parts.
struct Camt053 {
    /// The elements that are read; nothing is kept of the others.
    private static let known: [ByteKey: String] = Dictionary(
        uniqueKeysWithValues: [
            "Document", "BkToCstmrStmt", "Stmt", "Acct", "Id", "IBAN", "Othr", "Ntry", "NtryRef", "Amt", "CdtDbtInd",
            "RvslInd",
            "Sts", "Cd", "BookgDt", "ValDt", "Dt", "DtTm", "AcctSvcrRef", "NtryDtls", "TxDtls", "Refs", "EndToEndId",
            "AmtDtls", "TxAmt", "InstdAmt", "RltdPties", "Dbtr", "Cdtr", "Pty", "Nm", "DbtrAcct", "CdtrAcct", "RmtInf",
            "Ustrd",
            "Strd",
            "CdtrRefInf", "Ref", "AddtlRmtInf", "RfrdDocInf", "Nb", "AddtlNtryInf", "Ownr", "UltmtDbtr", "UltmtCdtr",
            "RtrInf", "AddtlInf", "AddtlTxInf",
        ].map { (ByteKey($0), $0) })

    private static let namespaces: [ByteKey] = (2...13).map {
        ByteKey("urn:iso:std:iso:20022:tech:xsd:camt.053.001.\($0 < 10 ? "0" : "")\($0)")
    }

    /// The maximum length in bytes of an element's text; longer texts are truncated.
    private static let longest = 4096

    private let stream = XMLStream()
    private(set) var file = BankFile(.camt053)
    private var namespace: ByteKey?
    /// The path to the current element; "" for an element that is not read.
    private var path: [String] = []
    private var text: [UInt8] = []
    private var currency: String?
    private var account = ""
    /// The name of the account's owner.
    private var owner: String?
    /// Counted from 1 within the file.
    private var statement = 0
    private var entry: CamtEntry?
    private var place = 0

    /// - Throws: 422 if it is not XML, has a document type, or is not a statement.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(Problem) {
        let events: [XMLStream.Event]
        do throws(XMLStream.Fault) { events = try stream.read(bytes) } catch { throw Problem(.invalid, error.detail) }
        for event in events { try take(event) }
    }

    /// - Throws: as above.
    mutating func finish() throws(Problem) -> BankFile {
        let events: [XMLStream.Event]
        do throws(XMLStream.Fault) { events = try stream.finish() } catch { throw Problem(.invalid, error.detail) }
        for event in events { try take(event) }
        return file
    }

    private mutating func take(_ event: XMLStream.Event) throws(Problem) {
        switch event {
        case .start(let name, let namespace, let currency):
            try start(name, ByteKey(namespace))
            self.currency = currency
            text.removeAll(keepingCapacity: true)
        case .text(let bytes):
            text.append(contentsOf: bytes.prefix(max(0, Self.longest - text.count)))
        case .end:
            try end()
            path.removeLast()
            text.removeAll(keepingCapacity: true)
        }
    }

    private mutating func start(_ name: String, _ namespace: ByteKey) throws(Problem) {
        if path.isEmpty {
            guard name.hasSameBytes(as: "Document"), Self.namespaces.contains(namespace) else {
                throw Problem(
                    .invalid, "The file is not a camt.053 statement (versions camt.053.001.02 to camt.053.001.13).")
            }
            self.namespace = namespace
        }
        path.append(namespace == self.namespace ? Self.known[ByteKey(name)] ?? "" : "")
        switch path.count {
        case 3 where isAt("Document", "BkToCstmrStmt", "Stmt"):
            (account, owner) = ("", nil)
            statement += 1
        case 4 where isAt("Document", "BkToCstmrStmt", "Stmt", "Ntry"):
            place += 1
            entry = CamtEntry()
        case 6 where isWithinEntry("NtryDtls", "TxDtls"):
            guard entry?.parts.count ?? 0 < BankFile.limits.lines else {
                throw Problem(.invalid, "An entry of the file has more than \(BankFile.limits.lines) parts.")
            }
            entry?.parts.append(CamtEntry.Movement())
        default: break
        }
    }

    private func isAt(_ names: String...) -> Bool { path == names }

    private func isWithinEntry(_ names: String...) -> Bool { entry != nil && path.dropFirst(4).elementsEqual(names) }

    private mutating func end() throws(Problem) {
        if entry == nil {
            if isAt("Document", "BkToCstmrStmt", "Stmt", "Acct", "Id", "IBAN")
                || isAt("Document", "BkToCstmrStmt", "Stmt", "Acct", "Id", "Othr", "Id")
            {
                account = BankTable.number(value() ?? "")
            } else if isAt("Document", "BkToCstmrStmt", "Stmt", "Acct", "Ownr", "Nm") {
                owner = value()
            }
            return
        }
        guard path.count > 4 else {
            if let entry { try close(entry) }
            entry = nil
            return
        }
        let inner = Array(path.dropFirst(4))
        let value = value()
        if inner.starts(with: ["NtryDtls", "TxDtls"]) {
            guard var part = entry?.parts.popLast() else { return }
            part.set(Array(inner.dropFirst(2)), value, currency: currency)
            entry?.parts.append(part)
        } else {
            entry?.set(inner, value, currency: currency)
        }
    }

    /// The text of the element that ends; nil if empty. A text that cannot be processed makes its entry unreadable.
    private mutating func value() -> String? {
        guard !text.isEmpty else { return nil }
        let whole = String(decoding: text, as: UTF8.self)
        guard StreamSafe.accepts(whole) else {
            entry?.whole.isReadable = false
            return nil
        }
        let trimmed = String(whole.trimmingBlanks)
        return trimmed.isEmpty ? nil : trimmed
    }

    // MARK: Lines of an entry

    private mutating func close(_ entry: CamtEntry) throws(Problem) {
        let lines: [BankEntry]
        do throws(InvalidText) {
            lines = try self.lines(of: entry)
        } catch {
            try file.reject(place, error.reason)
            return
        }
        for (place, line) in lines.enumerated() {
            if line.identity == nil {
                try file.add(line)
            } else {
                try file.add(line, place: place, statement: statement)
            }
        }
    }

    private func lines(of entry: CamtEntry) throws(InvalidText) -> [BankEntry] {
        guard entry.whole.isReadable else { throw InvalidText("A text of it \(StreamSafe.refusal).") }
        let status = entry.status ?? ""
        guard status.hasSameBytes(as: "BOOK") else {
            throw InvalidText("It is not booked (\(status.utf8.count <= 10 ? status : "…")).")
        }
        guard !account.isEmpty else { throw InvalidText("Its statement does not name its account.") }
        let whole = try cents(entry.whole, "The amount", sign: sign(entry.whole.direction))
        guard whole != 0 else { throw InvalidText("The amount is zero.") }
        guard let bookedOn = entry.bookedOn ?? entry.valueOn else { throw InvalidText("It has no date.") }
        let day = try Self.day(bookedOn, "The day", of: .payment)
        let valueOn =
            if let text = entry.valueOn { try Self.day(text, "The value date", of: .value) } else { nil as Day? }
        let parts = try amounts(of: entry, whole)
        return parts.map { part, cents in
            let party = entry.counterparty(of: part, cents: cents, account: account, owner: owner)
            let more = part.more + [entry.more].compactMap { $0 }
            let own = part.reference ?? entry.whole.reference ?? entry.number
            return BankEntry(
                account: account, reference: own.flatMap { BankText.line($0)?.text },
                identity: identity(of: part, in: entry), bookedOn: day, valueOn: valueOn, cents: cents,
                counterparty: party.name.flatMap(BankText.line), ultimateParty: party.ultimate.flatMap(BankText.line),
                counterpartyIBAN: party.iban.flatMap { try? IBAN(validating: $0) },
                remittance: BankText.remittance(BankText.joined(part.remittance, more)),
                endToEnd: part.endToEnd.flatMap(BankText.line),
                batch: parts.count > 1 ? (number: place, cents: whole) : nil)
        }
    }

    /// An entry's bank reference is permanent, though others of a batch may share it; its number is only unique within
    /// a statement and may be 1 in each, so the texts are added.
    private func identity(of part: CamtEntry.Movement, in entry: CamtEntry) -> String? {
        if let reference = entry.whole.reference { return "A\u{1F}\(reference)\u{1F}\(part.reference ?? "")" }
        if let reference = part.reference { return "A\u{1F}\(reference)" }
        let texts = part.remittance.isEmpty ? [entry.more].compactMap { $0 } : part.remittance
        return entry.number.map { "N\u{1F}\($0)\u{1F}\(texts.joined(separator: "\u{1E}"))" }
    }

    /// Each part with its amount. The entry is one part if it has only one, or if no part has an amount of its own and
    /// the instructed amounts are not all in euros.
    private func amounts(of entry: CamtEntry, _ whole: Int) throws(InvalidText) -> [(
        part: CamtEntry.Movement, cents: Int
    )] {
        guard entry.parts.count > 1 else { return [(entry.parts.first ?? entry.whole, whole)] }
        do throws(InvalidText) {
            return try apart(entry, whole)
        } catch {
            guard entry.parts.allSatisfy({ $0.amount == nil }) else { throw error }
            return [(together(entry, whole), whole)]
        }
    }

    /// All parts combined, with who paid each and why; truncated if too long.
    private func together(_ entry: CamtEntry, _ cents: Int) -> CamtEntry.Movement {
        var whole = entry.whole
        var names: Set<ByteKey> = []
        var accounts: Set<ByteKey> = []
        var bytes = 0
        for part in entry.parts {
            let party = entry.counterparty(of: part, cents: cents, account: account, owner: owner)
            names.insert(ByteKey("\(party.name ?? "")\u{1F}\(party.ultimate ?? "")"))
            accounts.insert(ByteKey(party.iban ?? ""))
            let texts = [party.name].compactMap { $0 } + part.remittance + [part.endToEnd].compactMap { $0 }
            let text = BankText.joined(texts, [party.ultimate].compactMap { $0 } + part.more)
            guard !text.isEmpty, bytes < Self.longest else { continue }
            whole.remittance.append(whole.remittance.isEmpty ? text : "/ \(text)")
            bytes += text.utf8.count
        }
        if names.count == 1, let part = entry.parts.first {
            (whole.debtor, whole.creditor, whole.isReturn) = (part.debtor, part.creditor, part.isReturn)
            if accounts.count > 1 { (whole.debtor.iban, whole.creditor.iban) = (nil, nil) }
        }
        return whole
    }

    private func apart(_ entry: CamtEntry, _ whole: Int) throws(InvalidText) -> [(part: CamtEntry.Movement, cents: Int)]
    {
        var parts: [(part: CamtEntry.Movement, cents: Int)] = []
        for part in entry.parts {
            parts.append(
                (part, try cents(part, "The amount of a part", sign: sign(part.direction ?? entry.whole.direction))))
        }
        guard parts.reduce(0, { $0 + $1.cents }) == whole, parts.allSatisfy({ $0.cents != 0 }) else {
            throw InvalidText("The sum of its parts is not its amount.")
        }
        return parts
    }

    private func cents(_ movement: CamtEntry.Movement, _ what: String, sign: Int?) throws(InvalidText) -> Int {
        guard let sign else { throw InvalidText("It says neither CRDT nor DBIT.") }
        let said = movement.amount.map { ($0, movement.currency) } ?? movement.instructed
        guard let (amount, currency) = said else { throw InvalidText("\(what) is missing.") }
        guard currency?.hasSameBytes(as: "EUR") == true else {
            throw InvalidText("\(what) is in a currency other than euros.")
        }
        return try Self.checked(what) { () throws(InvalidText) in try BankAmount.cents(decimal: amount) } * sign
    }

    private func sign(_ direction: String?) -> Int? {
        guard let direction else { return nil }
        return direction.hasSameBytes(as: "CRDT") ? 1 : direction.hasSameBytes(as: "DBIT") ? -1 : nil
    }

    /// For a time, its day in Paris; a day with a time zone is that day.
    private static func day(_ text: String, _ what: String, of meaning: DayMeaning) throws(InvalidText) -> Day {
        try checked(what) { () throws(InvalidText) in
            let isTime = text.utf8.contains(UInt8(ascii: "T"))
            return try BankDay.day(
                isTime ? text : String(decoding: text.utf8.prefix(10), as: UTF8.self), of: meaning)
        }
    }

    private static func checked<Value>(
        _ what: String, _ value: () throws(InvalidText) -> Value
    ) throws(InvalidText) -> Value {
        do throws(InvalidText) { return try value() } catch { throw InvalidText("\(what) \(error.reason).") }
    }
}
