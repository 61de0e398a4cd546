import ClubProtocol

/// The cells of a row about a record's location, until all of them are read: a postal code means nothing without its
/// country.
struct WrittenPlace: Codable {
    var postalCode: String?
    var departement: String?
    var country: String?

    /// With one more cell, truncated to what a place needs.
    func with(_ part: WritableKeyPath<WrittenPlace, String?>, _ cell: String) -> WrittenPlace {
        var place = self
        place[keyPath: part] = String(cell.prefix(scalars: 100))
        return place
    }
}

/// Something that a row contains but is not applied to its record, though the row is accepted.
struct ImportNote: Codable {
    /// By its name in the API.
    var column: String
    /// Reads well after the name of the column.
    var detail: String
}

/// A row about a record with a location.
protocol PlacedRow: ImportedRow {
    var place: WrittenPlace? { get set }
    var postalCode: PostalCode? { get set }
    /// As given by the row; otherwise derived from the postal code.
    var departement: Departement? { get set }
}

extension PlacedRow {
    /// Derives the postal code and the département from the cells. No row is rejected for its location: what cannot be
    /// read is left out, with a note.
    mutating func settle() {
        guard let place else { return }
        self.place = nil
        let country = place.country.flatMap(Country.init(named:))
        if place.country != nil, country == nil { leaveOut("country", "is not a known country") }
        let said = place.departement.map(Departement.written)
        if said == [] { leaveOut("departement", "is not a département") }
        if let text = place.postalCode {
            switch (country, place.country != nil, said == [.abroad]) {
            case (let country?, _, _) where !country.isOfFrenchPost:
                postalCode = Self.code(text, of: country)
                if postalCode == nil { leaveOut("postalCode", "is not a valid postal code of its country") }
            case (nil, true, _), (nil, _, true):
                postalCode = Self.codeWithCountry(text)
                if postalCode == nil { leaveOut("postalCode", "is of a country that is not named (as in BE-1050)") }
            default:
                postalCode = Self.codeWithCountry(text) ?? Self.french(text)
                if postalCode == nil {
                    leaveOut("postalCode", "is not a valid postal code (5 digits, or BE-1050 for another country)")
                }
            }
        }
        if let country, !country.isOfFrenchPost, postalCode?.isFrench != true {
            departement = .abroad
        } else if said?.count == 1 {
            departement = said?.first
        } else if let said, !said.isEmpty {
            // `20`, formerly Corsica's, is one of two: the postal code decides.
            let told = postalCode.flatMap { Departement(postalCode: $0) }
            if !(told.map { said.contains($0) } ?? false) {
                leaveOut("departement", "is 2A or 2B, and does not say which")
            }
        } else if let country, postalCode == nil {
            departement = country.departement
        }
    }

    private mutating func leaveOut(_ column: String, _ detail: String) {
        notes = (notes ?? []) + [ImportNote(column: column, detail: detail)]
    }

    /// `BE-1050`, `B-1050`, or `B 1050`.
    private static func codeWithCountry(_ text: String) -> PostalCode? {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "-")) || bytes.contains(UInt8(ascii: " ")) else { return nil }
        if let code = try? PostalCode(validating: text) { return code }
        guard let blank = bytes.prefix(3).firstIndex(of: UInt8(ascii: " ")), blank > 0, bytes.count > blank + 1,
            (0x30...0x39).contains(bytes[blank + 1]), bytes[..<blank].allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) })
        else { return nil }
        return try? PostalCode(
            validating: String(decoding: bytes[..<blank] + [UInt8(ascii: "-")] + bytes[(blank + 1)...], as: UTF8.self))
    }

    /// `1000` for `01000`, `64010 CEDEX 9`, `64 000`.
    private static func french(_ text: String) -> PostalCode? {
        let upper = Array(text.asciiUppercased.utf8)
        let cedex = Array("CEDEX".utf8)
        let end = upper.indices.first { upper[$0...].starts(with: cedex) } ?? upper.count
        let code = String(decoding: upper[..<end], as: UTF8.self)
        guard upper.first.map({ (0x30...0x39).contains($0) }) == true else { return nil }
        return try? PostalCode(validating: Cell.padded(code, to: 5))
    }

    /// A code written with or without its country.
    private static func code(_ text: String, of country: Country) -> PostalCode? {
        if let code = codeWithCountry(text) { return code }
        // Spreadsheets drop their leading zeros, too.
        let number = Cell.padded(text, to: ["DE", "ES", "FI", "IT"].contains(country.code) ? 5 : 0)
        let isNumber = number.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return try? PostalCode(validating: "\(country.code)-\(isNumber ? number : text)")
    }
}

extension Departement {
    /// The départements in a cell of a table: `64`, `1` for `01`, `064`, `64 - Pyrénées-Atlantiques`, `Gironde`,
    /// `Gironde (33)`; `20` and `Corse` are two, `99` is abroad. None if it is not recognized.
    static func written(_ cell: String) -> [Departement] {
        guard cell.utf8.count <= 100 else { return [] }
        let run = cell.utf8.prefix { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
            .map { $0 >= 0x41 ? $0 & 0xDF : $0 }
        if let first = run.first, first < 0x41 {
            var code = String(decoding: run, as: UTF8.self)
            if code.utf8.count == 1 { code = "0\(code)" }
            if code.utf8.count == 3, first == UInt8(ascii: "0") { code = String(code.dropFirst()) }
            if let known = codes[code] { return known }
            return (try? Departement(validating: code)).map { [$0] } ?? []
        }
        let key = Folding.key(cell)
        // The code may follow the name.
        return byName[key] ?? byName[String(key.prefix { !("0"..."9").contains($0) })] ?? []
    }

    private static let codes: [String: [Departement]] = ["20": ["2A", "2B"], "99": [.abroad]]

    /// By folded names.
    private static let byName: [String: [Departement]] = {
        let named = (all + [.abroad]).map { (Folding.key($0.name), [$0]) }
        let others: [(String, [Departement])] = [
            ("corse", ["2A", "2B"]), ("reunion", ["974"]), ("guyanefrancaise", ["973"]), ("horsdefrance", [.abroad]),
            ("abroad", [.abroad]),
        ]
        return Dictionary(named + others) { first, _ in first }
    }()
}
