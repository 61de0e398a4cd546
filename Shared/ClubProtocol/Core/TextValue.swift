/// A value that travels as one JSON string, one query parameter, one column of text, and is checked wherever it comes in.
///
/// Conformers get `Codable`, the binding to SQL, the query parameter and the OpenAPI schema from this one protocol.
package protocol TextValue: Codable, Hashable, Sendable, CustomStringConvertible {
    /// Reads and checks the text; the error's reason is for people.
    init(validating text: String) throws(InvalidText)
    var text: String { get }
    /// How the OpenAPI document describes it.
    static var schema: TextSchema { get }
}

/// Why a text is not a value of its type: `"is not a valid SIRET: the check digit is wrong"`.
package struct InvalidText: Error, Hashable, Sendable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// A JSON Schema string type: format, pattern, lengths and one example that is valid.
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

/// Text on one line: a name, a title, a subject. 1 to 200 characters, no control or bidirectional characters.
///
/// Kept as it is read aloud: without blanks at the ends, without invisible signs, with single blanks. A blank that does not break
/// stays one, as French typography wants it before `:` and `?`; of several blanks in a row one plain blank is left.
package struct Line: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        self.text = try Text.line(text, maximum: 200)
    }

    /// For literals in code; a literal that is no line is a programming error.
    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// Whether a text is a line as it stands, and shows everything that it is made of: no two that differ look alike by what nobody
    /// sees in them.
    package static func showsAll(of text: String) -> Bool {
        guard let line = try? Line(validating: text), line.text.hasSameBytes(as: text), StreamSafe.accepts(text) else {
            return false
        }
        return text.unicodeScalars.allSatisfy { $0 == " " || Text.isVisible($0) }
    }

    package static var schema: TextSchema { TextSchema(minLength: 1, maxLength: 200, example: "Ordre des experts") }
    package static func < (left: Line, right: Line) -> Bool { left.text < right.text }
}

/// Text of several lines: a note, a description, an article. 1 to 20,000 characters, kept as it is.
package struct Prose: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        try Text.check(text, maximum: 20_000, multiline: true)
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema { TextSchema(minLength: 1, maxLength: 20_000, example: "Un texte.") }
}

/// The rules that ``Line`` and ``Prose`` share.
enum Text {
    static func check(_ text: String, maximum: Int, multiline: Bool) throws(InvalidText) {
        // 4 bytes a scalar at the most: rejects megabytes before anything walks them.
        guard text.utf8.count <= maximum * 4 else { throw InvalidText("is longer than \(maximum) characters") }
        var visible = false
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            switch scalar.value {
            case 0x0A, 0x0D, 0x09:
                guard multiline else { throw InvalidText("must stand on one line") }
            case 0...0x1F, 0x7F...0x9F:
                throw InvalidText("has a control character")
            case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C:
                throw InvalidText("has a bidirectional control character")
            case 0xFFFE, 0xFFFF, 0x2028, 0x2029:
                throw InvalidText("has a character that is none")
            default:
                if !visible, isVisible(scalar) { visible = true }
            }
        }
        guard visible else { throw InvalidText("is empty") }
        guard count <= maximum else { throw InvalidText("is longer than \(maximum) characters") }
    }

    /// The text of a ``Line``.
    static func line(_ text: String, maximum: Int) throws(InvalidText) -> String {
        if isPlain(text, maximum: maximum) { return text }
        // What is left out counts for nothing, but must end somewhere.
        guard text.utf8.count <= maximum * 4 else { throw InvalidText("is longer than \(maximum) characters") }
        let folded = String(folded(text.unicodeScalars))
        try check(folded, maximum: maximum, multiline: false)
        // Who read it has looked at the marks in it; but what is left out may have stood between them.
        guard folded.utf8.count == text.utf8.count || StreamSafe.accepts(folded) else {
            throw InvalidText(StreamSafe.refusal)
        }
        return folded
    }

    /// Whether a text is what nearly all are: printable ASCII without two blanks in a row or one at an end.
    private static func isPlain(_ text: String, maximum: Int) -> Bool {
        guard (1...maximum).contains(text.utf8.count) else { return false }
        var isBlank = true
        for byte in text.utf8 {
            guard byte != 0x20 || !isBlank, (0x20..<0x7F).contains(byte) else { return false }
            isBlank = byte == 0x20
        }
        return !isBlank
    }

    /// Without invisible signs and blanks at the ends, with single blanks; a joiner stays between two visible signs alone.
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

    /// A blank of one line: those that end one are refused as they are.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0xA0: true
        case ..<0x1680: false
        default: scalar.properties.generalCategory == .spaceSeparator
        }
    }

    /// Whether somebody sees it. Formats, tags, fillers, what belongs to nobody's alphabet and what is no character do not show.
    static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        // Letters, digits and signs of the first two blocks, which nearly everything begins with.
        if (0x21...0x7E).contains(scalar.value) || (0xC0...0x24F).contains(scalar.value) { return true }
        // What Unicode has not assigned shows as an empty box, but nobody can read it.
        return !scalar.properties.isWhitespace && !scalar.isInvisible
            && scalar.properties.generalCategory != .unassigned
    }
}

extension Unicode.Scalar {
    /// Whether it is no blank, and nobody sees it in a text all the same: controls, formats, tags, fillers and whatever else a program
    /// that draws text may pass over (Unicode, 5.21), what belongs to nobody's alphabet, what is no character, the blank of Braille, and
    /// what stands for an object that is not there. Two names that differ in these alone are one: `directory.without_invisible` has the
    /// same signs.
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
