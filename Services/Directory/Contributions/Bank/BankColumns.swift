import ClubProtocol

/// Which column of a bank's table has which meaning, by its title.
struct BankColumns {
    /// The meaning of a column. In order of preference where two have the same title.
    enum Column: CaseIterable {
        case bookedOn, valueOn, label, detail, counterparty, iban, debit, credit, amount, direction, reference,
            currency, account, status

        /// Titles, folded by ``Folding/key(_:)``, without currencies and time zones; the best first.
        var titles: [String] {
            switch self {
            case .bookedOn:
                [
                    "datedecomptabilisation", "datecomptabilisation", "datecomptable", "datedecompte", "bookingdate",
                    "bookedon", "dateoperation", "datedoperation", "datedeloperation", "dateop", "date",
                ]
            case .valueOn:
                ["datevaleur", "datedevaleur", "datedelavaleur", "valeur", "dateval", "valuedate"]
            case .label:
                [
                    "libelleoperation", "libelledeloperation", "libellecompletdeloperation", "libellecompletoperation",
                    "libellecomplet", "libelle", "libelledetaille", "libellelong", "libelledelecriture",
                    "libelleecriture", "intitule", "nature", "naturedeloperation", "description", "label",
                    "communication", "paymentreference", "referencedepaiement", "operation", "libellesimplifie",
                    "libellecourt",
                ]
            case .detail:
                [
                    "informationscomplementaires", "detail", "details", "detaildelecriture", "detaildeloperation",
                    "detailoperation", "motif", "complement", "libellecomplementaire", "commentaire",
                    "infoscomplementaires",
                ]
            case .counterparty:
                [
                    "nomducontrepartie", "nomdelacontrepartie", "contrepartie", "nomcontrepartie", "tiers",
                    "emetteur", "donneurdordre", "nomdudonneurdordre", "beneficiaire", "emetteurbeneficiaire",
                    "counterparty", "partnername", "payee",
                ]
            case .iban:
                [
                    "ibancontrepartie", "ibandelacontrepartie", "ibandutiers", "ibanemetteur", "comptecontrepartie",
                    "partneriban",
                ]
            case .debit: ["debit", "debiteur", "montantdebit", "debits", "montantaudebit"]
            case .credit: ["credit", "crediteur", "montantcredit", "credits", "montantaucredit"]
            case .amount:
                [
                    "montant", "montantdeloperation", "montantoperation", "montanttotalttc", "montantttc",
                    "montanttotal", "amount",
                ]
            case .direction:
                [
                    "sens", "sensoperation", "sensdeloperation", "sensdelecriture", "debitcredit", "creditdebit",
                    "debitoucredit", "dc", "cd", "signe", "side",
                ]
            case .reference:
                ["reference", "referenceoperation", "referencedeloperation", "ref", "numerodoperation", "numeropiece"]
            case .currency: ["devise", "monnaie", "currency", "codedevise"]
            case .account: ["compte", "numerodecompte", "numerocompte", "iban", "accountnum", "accountnumber"]
            case .status: ["statut", "status", "etat", "state"]
            }
        }

        /// What may follow its title: the currency of an amount, the time zone and the format of a day.
        fileprivate var suffixes: [String] {
            switch self {
            case .debit, .credit, .amount: ["eneuros", "eneuro", "eneur", "euros", "euro", "eur"]
            case .bookedOn, .valueOn:
                ["utc", "gmt", "local", "locale", "heurelocale", "europeparis", "heuredeparis", "jjmmaaaa", "ddmmyyyy"]
            default: []
            }
        }

        /// Whether a second such column is added to the text, as unknown columns are.
        fileprivate var isText: Bool { [.label, .detail, .counterparty, .reference].contains(self) }
    }

    /// Columns that change from one export to the next, because the user fills them in or they depend on other lines:
    /// included in the text, they would turn one line into another. Prefixes of folded titles.
    private static let aside = [
        "solde", "balance", "accountbalance", "categor", "souscategor", "pointage", "pointe", "rapproch", "piecejointe",
        "piecesjointes", "justificatif", "attachment", "accountlabel", "accountname", "nomducompte",
        "intituleducompte", "libelleducompte", "originalamount", "originalcurrency", "exchangerate", "tauxd",
    ]

    private static let known: [ByteKey: (column: Column, rank: Int)] = {
        var known: [ByteKey: (column: Column, rank: Int)] = [:]
        for column in Column.allCases {
            for (rank, title) in column.titles.enumerated() { known[ByteKey(title)] = (column, rank) }
        }
        return known
    }()

    /// As written in the file.
    let titles: [String]
    /// The best first.
    private var places: [Column: [Int]] = [:]
    /// Columns whose title mentions euros.
    private var inEuros: Set<Int> = []
    /// Columns whose times are in UTC.
    private var inUTC: Set<Int> = []
    /// Columns with no known meaning, in the order of the file: they are added to the text.
    private(set) var rest: [Int] = []
    private(set) var leftAside: [Int] = []

    /// - Parameter cells: a line of the file.
    /// - Returns: nil if they are not the titles of a table: without a day or an amount among them.
    init?(_ cells: [String]) {
        guard cells.count <= 200 else { return nil }
        titles = cells
        var ranked: [(column: Column, place: Int, rank: Int)] = []
        for (place, cell) in cells.enumerated() {
            if let (column, rank) = meaning(of: cell, at: place) { ranked.append((column, place, rank)) }
        }
        for found in ranked.sorted(by: { ($0.rank, $0.place) < ($1.rank, $1.place) }) {
            places[found.column, default: []].append(found.place)
        }
        guard has(.bookedOn), has(.debit) || has(.credit) || has(.amount) else { return nil }
        takeAccountsOfOthers()
        let used = Set(
            places.flatMap { column, places in column.isText || column == .iban ? [] : places.prefix(1) }
                + [Column.counterparty, .reference].compactMap { places[$0]?.first })
        for place in cells.indices where !used.contains(place) {
            let key = Folding.key(cells[place])
            let column = places.first { $0.value.contains(place) }?.key
            let isAside = column == nil ? Self.aside.contains { key.hasBytePrefix($0) } : column?.isText == false
            if isAside { if column != .iban { leftAside.append(place) } } else { rest.append(place) }
        }
    }

    /// The meaning of a title, and its rank: columns in euros before others, columns in UTC last.
    private mutating func meaning(of title: String, at place: Int) -> (column: Column, rank: Int)? {
        if ["+/-", "-/+", "±"].contains(where: { title.trimmingBlanks.utf8.elementsEqual($0.utf8) }) {
            return (.direction, 0)
        }
        let key = Folding.key(title)
        if let found = Self.known[ByteKey(key)] { return found }
        for column in Column.allCases {
            for suffix in column.suffixes where key.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                let base = String(decoding: key.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
                guard let (found, rank) = Self.known[ByteKey(base)], found == column else { continue }
                if ["utc", "gmt"].contains(where: { $0.hasSameBytes(as: suffix) }) {
                    inUTC.insert(place)
                    return (column, rank + 1000)
                }
                guard suffix.hasBytePrefix("e") && column != .bookedOn && column != .valueOn else {
                    return (column, rank)
                }
                inEuros.insert(place)
                return (column, rank - 1000)
            }
        }
        return nil
    }

    /// An account number directly after the counterparty is the counterparty's, not the club's.
    private mutating func takeAccountsOfOthers() {
        let others = (places[.account] ?? []).filter { place in
            let key = Folding.key(titles[place])
            return places[.counterparty]?.contains(place - 1) == true && !key.hasSameBytes(as: "compte")
        }
        guard !others.isEmpty else { return }
        let own = places[.account]?.filter { !others.contains($0) } ?? []
        places[.account] = own.isEmpty ? nil : own
        places[.iban, default: []] += others
    }

    func has(_ column: Column) -> Bool { places[column] != nil }

    /// The first cell with this meaning that is not empty. For days and amounts only the best column counts: where it
    /// is empty, another column means something else.
    func cell(_ column: Column, in cells: [String]) -> String {
        let places = places[column] ?? []
        let several = column.isText || column == .iban
        for place in several ? places[...] : places.prefix(1) where place < cells.count {
            let cell = cells[place].trimmingBlanks
            if !cell.isEmpty { return String(cell) }
        }
        return ""
    }

    func isInUTC(_ column: Column) -> Bool { places[column]?.first.map(inUTC.contains) ?? false }

    /// Whether the titles of the amount columns say that they are in euros.
    var isInEuros: Bool {
        [Column.debit, .credit, .amount].allSatisfy { places[$0]?.first.map(inEuros.contains) ?? true }
    }

    /// The columns of amounts.
    var money: [Int] { [.debit, .credit, .amount].compactMap { places[$0]?.first } }

    /// Finds the column with the direction of the money, where amounts have a single column: by its title, unless all
    /// of it is empty; or by its words, whatever its title, such as `Type` with `Débit` and `Crédit`.
    mutating func findDirection(in records: [[String]]) {
        guard !has(.debit), !has(.credit), let amount = places[.amount]?.first else { return }
        func cells(_ place: Int) -> [String] {
            records.compactMap { cells in
                guard amount < cells.count, !cells[amount].isBlank else { return nil }
                return place < cells.count ? cells[place] : ""
            }
        }
        if let place = places[.direction]?.first {
            if cells(place).allSatisfy(\.isBlank) { places[.direction] = nil }
            return
        }
        let found = rest.first { place in
            let cells = cells(place)
            return !cells.isEmpty && cells.allSatisfy { BankDirection(word: $0) != nil }
        }
        guard let found else { return }
        places[.direction] = [found]
        rest.removeAll { $0 == found }
    }
}

/// The direction of money, as banks write it.
enum BankDirection {
    /// It went out.
    case debit
    /// It came in.
    case credit

    private static let debits = [
        "d", "db", "dr", "debit", "debits", "debiteur", "debitrice", "dbit", "sortie", "depense", "decaissement",
        "expense", "out",
    ]
    private static let credits = [
        "c", "cr", "credit", "credits", "crediteur", "creditrice", "crdt", "entree", "recette", "encaissement",
        "income", "in",
    ]

    /// - Parameter text: not empty.
    /// - Returns: nil if it is neither.
    init?(_ text: String) {
        switch Array(text.trimmingBlanks.unicodeScalars.prefix(2)) {
        case ["+"]: self = .credit
        case ["-"], ["\u{2212}"], ["\u{2013}"]: self = .debit
        default: self.init(word: text)
        }
    }

    /// From a word, not from a sign.
    init?(word text: String) {
        let key = Folding.key(text)
        if Self.debits.contains(where: { key.hasSameBytes(as: $0) }) {
            self = .debit
        } else if Self.credits.contains(where: { key.hasSameBytes(as: $0) }) {
            self = .credit
        } else {
            return nil
        }
    }
}
