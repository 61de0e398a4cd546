import CPango
import ClubProtocol

/// Text without accents, case and punctuation, for comparing what people typed with known words.
enum Folding {
    /// In bytes; a longer text is not a known word.
    static let longest = 800

    /// Empty for a text longer than ``longest``: no known word is.
    static func key(_ text: String) -> String {
        guard text.utf8.count <= longest else { return "" }
        // text: it is short, and the reader has refused long runs of combining marks.
        let folded = text.isASCII ? text : decomposed(text).lowercased()
        return String(
            decoding: folded.asciiLowercased.utf8.filter { (97...122).contains($0) || (48...57).contains($0) },
            as: UTF8.self)
    }

    /// The full compatibility decomposition (UAX #15, NFKD), by GLib: the standard library has only the canonical one.
    private static func decomposed(_ text: String) -> String {
        guard let result = g_utf8_normalize(text, -1, G_NORMALIZE_NFKD) else { return text }
        defer { g_free(result) }
        return String(cString: result)
    }
}
