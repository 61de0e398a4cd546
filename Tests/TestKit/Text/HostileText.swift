/// Texts that cost more than their length suggests, for code that normalises them or searches for grapheme clusters.
package enum HostileText: String, CaseIterable, Sendable {
    /// One letter, then marks of one class and marks of a lower one: sorting them takes quadratic time.
    case marks
    /// The same, class after class.
    case mixedMarks
    /// As many marks on each letter as allowed, in the wrong order.
    case fewMarks
    /// Leading consonants of Hangul: no boundary between characters before the first vowel.
    case jamo
    /// Emoji joined into one.
    case joined
    /// Regional indicators: whether two form one flag depends on the beginning of the run.
    case flags
    /// Devanagari consonants with a linker between each pair: one grapheme cluster.
    case conjuncts
    /// Each is eighteen letters once decomposed.
    case ligatures
    /// A letter that normalisation changes, with its mark.
    case longS
    /// Nothing special: letters of two bytes.
    case accents

    /// Whether a reader must refuse it, by the Stream-Safe Text Format.
    package var isUnsafe: Bool { self == .marks || self == .mixedMarks }

    /// A text of about this many bytes, never more.
    package func text(bytes: Int) -> String {
        switch self {
        case .marks:
            let half = max(1, (bytes - 1) / 4)
            return "a" + String(repeating: "\u{301}", count: half) + String(repeating: "\u{316}", count: half)
        case .mixedMarks: return "a" + repeated("\u{301}\u{316}", bytes - 1)
        case .fewMarks: return repeated("a" + String(repeating: "\u{301}\u{316}", count: 15), bytes)
        case .jamo: return repeated("\u{1100}", bytes)
        case .joined: return repeated("\u{1F468}\u{200D}", bytes)
        case .flags: return repeated("\u{1F1EB}", bytes)
        case .conjuncts: return repeated("\u{915}\u{94D}", bytes)
        case .ligatures: return repeated("\u{FDFA}", bytes)
        case .longS: return repeated("\u{1E9B}\u{323}", bytes)
        case .accents: return repeated("é", bytes)
        }
    }

    private func repeated(_ part: String, _ bytes: Int) -> String {
        String(repeating: part, count: max(1, bytes / part.utf8.count))
    }
}
