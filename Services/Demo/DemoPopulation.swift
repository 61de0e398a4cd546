import ClubProtocol

/// The club in realistic numbers, invented but always the same: a number gives the same name, firm and place on every
/// run and every machine.
enum DemoPopulation {
    static let institutions = 30
    static let brands = 40
    static let ambassadors = 1_200
    static let experts = 5_150
    /// How many of the experts are web agencies; the others are resellers.
    static let webAgencies = 2_500

    /// A person in a network, who advises firms.
    struct Adviser {
        var givenName: String
        var familyName: String
        var email: String
        var territory: Territory
        /// Nine in ten have consented to the Flash info.
        var agreed: Bool
    }

    static func adviser(_ number: Int) -> Adviser {
        var dice = Dice(stream: 1, number: number)
        let given = dice.pick(givenNames)
        let family = dice.pick(familyNames)
        return Adviser(
            givenName: given, familyName: family,
            email: "\(folded(given)).\(folded(family)).\(number)@conseil.example", territory: dice.pick(Territory.all),
            agreed: number % 10 != 9)
    }

    /// A provider who does the work in the field.
    struct Provider {
        var isWebAgency: Bool
        var name: String
        var siret: String
        var contact: String
        var email: String
        var telephone: String
        var territory: Territory
        var commune: Territory.Commune
        var topics: [Topic]
        var brands: [Line]
        var agreed: Bool
    }

    static func provider(_ number: Int) -> Provider {
        var dice = Dice(stream: 2, number: number)
        let isWebAgency = number < webAgencies
        let territory = dice.pick(Territory.all)
        let commune = dice.pick(territory.communes)
        let given = dice.pick(givenNames)
        let family = dice.pick(familyNames)
        let word = dice.pick(isWebAgency ? agencyWords : resellerWords)
        let siren = luhn("8\(padded(number, 7))")
        return Provider(
            isWebAgency: isWebAgency, name: "\(word) \(family) \(number + 1)", siret: luhn("\(siren)0001"),
            contact: "\(given) \(family)",
            email: "contact.\(number + 1)@\(isWebAgency ? "agence" : "revendeur").example",
            telephone: "0\(1 + number % 4)\(padded(number * 7919 % 100_000_000, 8))", territory: territory,
            commune: commune, topics: dice.some(of: topics, 1...3), brands: dice.some(of: brandNames, 1...3),
            agreed: number % 20 != 19)
    }

    /// `number` with the check digit that INSEE requires.
    private static func luhn(_ number: String) -> String { "\(number)\(Luhn.checkDigit(for: number))" }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Lower-case ASCII, for an address.
    private static func folded(_ name: String) -> String {
        String(
            name.lowercased().map { character -> Character in
                switch character {
                case "é", "è", "ê", "ë": "e"
                case "ç": "c"
                case "ï", "î": "i"
                case "ô": "o"
                case "à", "â": "a"
                default: character.isASCII && character.isLetter ? character : "-"
                }
            })
    }

    static let topics: [Topic] = [
        "webSite", "onlineSales", "backup", "telecom", "electronicInvoicing", "cybersecurity", "network",
    ]

    static let institutionNames: [(name: Line, kind: Organization.SubKind)] = [
        ("Fédération des centres de gestion agréés", .accountingCentre),
        ("Centre de gestion agréé de l’Atlantique", .accountingCentre),
        ("Centre de gestion agréé du Rhône", .accountingCentre),
        ("Centre de gestion agréé du Nord", .accountingCentre),
        ("Fédération du commerce de proximité", .federation), ("Fédération du bâtiment artisanal", .federation),
        ("Fédération des métiers de bouche", .federation), ("Fédération de la coiffure", .federation),
        ("Fédération des transporteurs", .federation), ("Fédération de l’hôtellerie", .federation),
        ("Ordre des experts-comptables", .regulatedProfession),
        ("Conseil national des greffiers", .regulatedProfession),
        ("Chambre des notaires", .regulatedProfession), ("Ordre des géomètres", .regulatedProfession),
        ("Réseau des espaces publics numériques", .digitalSpaceNetwork),
        ("Cyber-bases de France", .digitalSpaceNetwork), ("Points d’accès multimédia", .digitalSpaceNetwork),
        ("Agence numérique de Bretagne", .regionalAgency), ("Agence numérique d’Aquitaine", .regionalAgency),
        ("Agence numérique du Centre", .regionalAgency), ("Agence numérique d’Auvergne", .regionalAgency),
        ("Chambre de commerce de Paris", .chamber), ("Chambre de commerce de Lyon", .chamber),
        ("Chambre de commerce de Pau", .chamber), ("Chambre de métiers de la Gironde", .chamber),
        ("Chambre de métiers du Nord", .chamber), ("Chambre de métiers des Landes", .chamber),
        ("Direction des entreprises", .government), ("Délégation aux usages de l’internet", .government),
        ("Secrétariat à l’économie numérique", .government),
    ]

    static let brandNames: [Line] = [
        "Altéa", "Bréval", "Calypso", "Dorian", "Elyos", "Fontel", "Galion", "Hexane", "Ibéris", "Jalis", "Kéops",
        "Lumio", "Métis", "Novéa", "Orphée", "Praxis", "Quadra", "Rivage", "Solène", "Tempo", "Ulysse", "Véga",
        "Wabi", "Xenia", "Yris", "Zéphyr", "Arcane", "Boréal", "Cyclade", "Delphi", "Écume", "Filao", "Granit",
        "Halcyon", "Indigo", "Jade", "Kairos", "Lyre", "Mistral", "Nacre",
    ]

    private static let agencyWords = ["Agence", "Studio", "Atelier web", "Créations", "Web"]
    private static let resellerWords = ["Informatique", "Bureautique", "Micro", "Télécom", "Services"]

    private static let givenNames = [
        "Anne", "Bernard", "Camille", "Denis", "Élise", "Franck", "Gaëlle", "Hugo", "Inès", "Jérôme", "Karine", "Luc",
        "Marie", "Nicolas", "Odile", "Pascal", "Quentin", "Rachel", "Sophie", "Thierry", "Ursule", "Valérie", "William",
        "Yann", "Zoé",
    ]
    private static let familyNames = [
        "Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent", "Simon",
        "Michel", "Lefebvre", "Leroy", "Roux", "David", "Bertrand", "Morel", "Fournier", "Girard", "Bonnet", "Dupont",
        "Lambert", "Fontaine", "Rousseau", "Vincent", "Muller", "Lefèvre", "Faure", "André", "Mercier", "Blanc",
        "Guérin", "Boyer", "Garnier", "Chevalier", "François", "Legrand", "Gauthier", "Garcia",
    ]
}

/// Pseudorandom numbers (SplitMix64), seeded with what they are for.
private struct Dice {
    private var state: UInt64

    init(stream: UInt64, number: Int) {
        state = stream << 32 ^ UInt64(number)
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Item>(_ items: [Item]) -> Item {
        items[Int(next() % UInt64(items.count))]
    }

    mutating func some<Item: Hashable>(of items: [Item], _ range: ClosedRange<Int>) -> [Item] {
        let count = range.lowerBound + Int(next() % UInt64(range.count))
        var chosen: [Item] = []
        while chosen.count < count {
            let item = pick(items)
            if !chosen.contains(item) { chosen.append(item) }
        }
        return chosen
    }
}
