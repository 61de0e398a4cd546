/// A value carried as one JSON string, query parameter or text column, and validated wherever it comes in.
///
/// Conforming types get `Codable`, SQL binding, path variables, query parameters and the OpenAPI schema from this one protocol.
package protocol TextValue: PathVariable, Hashable, CustomStringConvertible {
    /// Parses and validates the text; the error's reason is for people.
    init(validating text: String) throws(InvalidText)
    var text: String { get }
    /// Its description in the OpenAPI document.
    static var schema: TextSchema { get }
}

/// Why a text is not a valid value of its type: `"is not a valid SIRET: the check digit is wrong"`.
package struct InvalidText: Error, Hashable, Sendable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// A JSON Schema string type: format, pattern, lengths and one valid example.
package struct TextSchema: Hashable, Sendable {
    package var format: String?
    package var pattern: String?
    package var minLength: Int?
    package var maxLength: Int?
    package var example: String

    package init(
        format: String? = nil, pattern: String? = nil, minLength: Int? = nil, maxLength: Int? = nil, example: String
    ) {
        self.format = format
        self.pattern = pattern
        self.minLength = minLength
        self.maxLength = maxLength
        self.example = example
    }
}

extension TextValue {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(validating: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.reason)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}

extension TextValue where Self: ExpressibleByStringLiteral {
    /// For literals in code; an invalid literal is a programming error.
    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }
}

/// A single line of text: a name, a title, a subject. 1 to 200 characters, no control or bidirectional characters.
///
/// Normalized to what is visible: no white space at the ends, no invisible characters, single spaces. A single
/// no-break space is kept, because French typography wants one before `:` and `?`; several spaces in a row become one
/// plain space.
package struct Line: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        self.text = try Text.line(text, maximum: 200)
    }

    /// Whether a text is already a normalized line and every character in it is visible: no two such texts differ
    /// only in invisible characters.
    package static func showsAll(of text: String) -> Bool {
        guard let line = try? Line(validating: text), line.text.hasSameBytes(as: text), StreamSafe.accepts(text) else {
            return false
        }
        return text.unicodeScalars.allSatisfy { $0 == " " || Text.isVisible($0) }
    }

    package static var schema: TextSchema { TextSchema(minLength: 1, maxLength: 200, example: "Ordre des experts") }
    package static func < (left: Line, right: Line) -> Bool { left.text < right.text }
}

/// Multi-line text: a note, a description, an article. 1 to 20,000 characters, kept unchanged.
package struct Prose: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        try Text.check(text, maximum: 20_000, multiline: true)
        self.text = text
    }

    package static var schema: TextSchema { TextSchema(minLength: 1, maxLength: 20_000, example: "Un texte.") }
}

/// The rules shared by ``Line`` and ``Prose``.
enum Text {
    static func check(_ text: String, maximum: Int, multiline: Bool) throws(InvalidText) {
        // At most 4 bytes a scalar: rejects megabytes before scanning them.
        guard text.utf8.count <= maximum * 4 else { throw InvalidText("is longer than \(maximum) characters") }
        var visible = false
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            switch scalar.value {
            case 0x0A, 0x0D, 0x09:
                guard multiline else { throw InvalidText("must be on one line") }
            case 0...0x1F, 0x7F...0x9F:
                throw InvalidText("has a control character")
            case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C:
                throw InvalidText("has a bidirectional control character")
            case 0xFFFE, 0xFFFF, 0x2028, 0x2029:
                throw InvalidText("has an invalid character")
            default:
                if !visible, isVisible(scalar) { visible = true }
            }
        }
        guard visible else { throw InvalidText("is empty") }
        guard count <= maximum else { throw InvalidText("is longer than \(maximum) characters") }
    }

    /// The normalized text of a ``Line``.
    static func line(_ text: String, maximum: Int) throws(InvalidText) -> String {
        if isPlain(text, maximum: maximum) { return text }
        // Removed characters do not count towards the length, but the input must still be bounded.
        guard text.utf8.count <= maximum * 4 else { throw InvalidText("is longer than \(maximum) characters") }
        let folded = String(folded(text.unicodeScalars))
        try check(folded, maximum: maximum, multiline: false)
        // The decoder has already checked runs of combining marks, but removed characters may have separated them.
        guard folded.utf8.count == text.utf8.count || StreamSafe.accepts(folded) else {
            throw InvalidText(StreamSafe.refusal)
        }
        return folded
    }

    /// Whether a text is the common case: printable ASCII with single spaces, none at either end.
    private static func isPlain(_ text: String, maximum: Int) -> Bool {
        guard (1...maximum).contains(text.utf8.count) else { return false }
        var isBlank = true
        for byte in text.utf8 {
            guard byte != 0x20 || !isBlank, (0x20..<0x7F).contains(byte) else { return false }
            isBlank = byte == 0x20
        }
        return !isBlank
    }

    /// Removes invisible characters and outer spaces and collapses spaces; keeps a joiner only between two visible
    /// characters.
    private static func folded(_ scalars: String.UnicodeScalarView) -> String.UnicodeScalarView {
        var kept = String.UnicodeScalarView()
        var blanks: [Unicode.Scalar] = []
        var joiners: [Unicode.Scalar] = []
        for scalar in scalars {
            switch scalar.value {
            case 0x200B, 0x2060, 0xFEFF, 0xAD: continue
            case 0x200C, 0x200D:
                if blanks.isEmpty, !kept.isEmpty { joiners.append(scalar) }
            case _ where isBlank(scalar):
                blanks.append(scalar)
                joiners = []
            default:
                if !kept.isEmpty, let blank = blanks.first {
                    kept.append(blanks.count == 1 && (blank == "\u{A0}" || blank == "\u{202F}") ? blank : " ")
                }
                kept.append(contentsOf: joiners)
                kept.append(scalar)
                (blanks, joiners) = ([], [])
            }
        }
        return kept
    }

    /// A space within a line; line breaks are left in, and refused later.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0xA0: true
        case ..<0x1680: false
        default: scalar.properties.generalCategory == .spaceSeparator
        }
    }

    /// Whether it is visible. Formats, tags, fillers, private-use characters and noncharacters are not.
    static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        // Letters, digits and symbols of the first blocks, the usual case.
        if (0x21...0x7E).contains(scalar.value) || (0xC0...0x24F).contains(scalar.value) { return true }
        // Unassigned characters show as an empty box, which no one can read.
        return !scalar.properties.isWhitespace && !scalar.isInvisible
            && scalar.properties.generalCategory != .unassigned
    }
}

extension Unicode.Scalar {
    /// Whether it is not white space but invisible all the same: controls, formats, tags, fillers and other
    /// default-ignorable characters (Unicode, 5.21), private use, noncharacters, the Braille blank and the object
    /// replacement character. Two names that differ only in these are the same: `directory.without_invisible` has the
    /// same set.
    package var isInvisible: Bool {
        if (0x20...0x7E).contains(value) || (0xC0...0x24F).contains(value) || properties.isWhitespace { return false }
        if value == 0x2800 || value == 0xFFFC || properties.isDefaultIgnorableCodePoint
            || properties.isNoncharacterCodePoint
        {
            return true
        }
        return switch properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: true
        default: false
        }
    }
}
