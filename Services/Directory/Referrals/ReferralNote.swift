import ClubProtocol

/// The note that the page of an offer sends.
struct ReferralNote {
    /// As the field of a page counts them.
    private static let maximum = 2000

    /// What was typed: a browser sends two signs for each line break.
    let typed: String
    /// Nil where nothing was typed, or what cannot be taken.
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
