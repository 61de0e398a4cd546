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

/// Why a text is not a value of its type: `"is no SIRET: the check digit is wrong"`.
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
package struct Line: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        try Text.check(text, maximum: 200, multiline: false)
        self.text = text
    }

    /// For literals in code; a literal that is no line is a programming error.
    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    package static var schema: TextSchema { TextSchema(minLength: 1, maxLength: 200, example: "Ordre des experts") }
    package static func < (left: Line, right: Line) -> Bool { left.text < right.text }
}

/// Text of several lines: a note, a description, an article. 1 to 20,000 characters.
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
                if !visible, !scalar.properties.isWhitespace { visible = true }
            }
        }
        guard visible else { throw InvalidText("is empty") }
        guard count <= maximum else { throw InvalidText("is longer than \(maximum) characters") }
    }
}
