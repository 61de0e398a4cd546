import ClubProtocol
import ServiceKit

/// The columns of another tool's list: where its addresses, reasons and dates are.
struct SuppressionColumns {
    private enum Meaning {
        case email, reason, date
    }

    /// The position of each in a row.
    let email: Int
    let reason: Int?
    let date: Int?
    /// As in the file; empty where it has none.
    let titles: [String]
    /// Headers that mean nothing here.
    let unknown: [String]
    /// Whether the first record is a row, because the file has no headers.
    let isPlain: Bool

    /// The words of Mailchimp, Brevo, listmonk, Mautic and of people, folded by ``FoldedWord/key(_:)``.
    private static let meanings: [String: Meaning] = {
        var meanings: [String: Meaning] = [:]
        for word in [
            "email", "emailaddress", "mail", "courriel", "adresse", "adresseemail", "adressemail", "adressecourriel",
            "address", "subscriber",
        ] { meanings[word] = .email }
        for word in [
            "reason", "status", "motif", "statut", "raison", "etat", "emailstatus", "memberstatus", "dncreason",
        ] { meanings[word] = .reason }
        for word in [
            "date", "unsubtime", "cleantime", "unsubscribedat", "unsubscribedate", "datededesinscription",
            "desinscritle", "dateadded", "updatedat", "depuis", "since",
        ] { meanings[word] = .date }
        return meanings
    }()

    /// - Parameter first: the first record of the file.
    /// - Throws: 422 if it names no column of addresses, or two with the same meaning.
    init(_ first: [String]) throws(Problem) {
        let addresses = first.indices.filter {
            (try? EmailAddress(validating: String(first[$0].trimmingBlanks))) != nil
        }
        isPlain = addresses.count == 1
        if let place = addresses.first, isPlain {
            (email, reason, date, titles, unknown) = (place, nil, nil, [], [])
            return
        }
        titles = first.map { String($0.trimmingBlanks.prefix(scalars: 100)) }
        var places: [Meaning: Int] = [:]
        var unknown: [String] = []
        for (place, title) in titles.enumerated() {
            guard let meaning = Self.meanings[FoldedWord.key(title)] else {
                if !title.isEmpty { unknown.append(title) }
                continue
            }
            guard places[meaning] == nil else {
                throw Problem(.invalid, "Two columns have the same meaning; the second is “\(title)”.")
            }
            places[meaning] = place
        }
        guard let place = places[.email] else {
            throw Problem(
                .invalid, "The first line has no column for addresses, such as “email”, and is not an address itself.")
        }
        (email, reason, date) = (place, places[.reason], places[.date])
        self.unknown = unknown
    }

    /// The header of a position; nil where the file has none.
    func title(_ place: Int) -> String? { titles.indices.contains(place) ? titles[place] : nil }
}

/// A word as it is compared: in lower case, without the accents of French and without signs.
enum FoldedWord {
    /// A longer text is not a known word.
    private static let longest = 100

    private static let letters: [Unicode.Scalar: Unicode.Scalar] = [
        "à": "a", "â": "a", "ç": "c", "é": "e", "è": "e", "ê": "e", "ë": "e", "î": "i", "ï": "i", "ô": "o", "ù": "u",
        "û": "u", "ü": "u", "À": "a", "Â": "a", "Ç": "c", "É": "e", "È": "e", "Ê": "e", "Ë": "e", "Î": "i", "Ï": "i",
        "Ô": "o", "Ù": "u", "Û": "u", "Ü": "u",
    ]

    /// Combining accents are signs, so that a decomposed letter is the same.
    static func key(_ text: String) -> String {
        guard text.utf8.count <= longest else { return "" }
        var key = ""
        for scalar in text.unicodeScalars {
            let letter = letters[scalar] ?? scalar
            guard letter.isASCII else { continue }
            let byte = UInt8(letter.value)
            if (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) {
                key.unicodeScalars.append(letter)
            }
        }
        return key.asciiLowercased
    }
}
