import ClubProtocol

/// The note submitted with the page of an offer.
struct ReferralNote {
    /// Counted as in the page's field.
    private static let maximum = 2000

    /// As typed: browsers send two characters for each line break.
    let typed: String
    /// Nil if empty or not valid.
    let value: Prose?
    /// What is wrong; in French, because people read it.
    let error: String?

    init(_ sent: String?) {
        typed = (sent ?? "").withLineFeeds
        guard !typed.isBlank else {
            (value, error) = (nil, nil)
            return
        }
        let count = typed.unicodeScalars.count
        if count > Self.maximum {
            (value, error) = (nil, "\(Self.maximum) caractères au plus\u{A0}: ce texte en a \(count).")
        } else if let note = try? Prose(validating: typed) {
            (value, error) = (note, nil)
        } else {
            (value, error) = (nil, "Un caractère invisible de ce texte ne peut pas être repris. Tapez-le de nouveau.")
        }
    }
}
