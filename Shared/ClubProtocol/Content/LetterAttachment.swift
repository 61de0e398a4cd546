import FoundationEssentials

/// A file in a letter. It is stored until the letter has ended.
package struct LetterAttachment: Codable, Hashable, Sendable {
    /// What readers open without a doubt. An SVG can contain scripts.
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case calendar = "text/calendar"
        case pdf = "application/pdf"
        case png = "image/png"
        case jpeg = "image/jpeg"

        /// Whether a file begins as one of this type does.
        package func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: signature) }

        private var signature: [UInt8] {
            switch self {
            case .calendar: Array("BEGIN:VCALENDAR".utf8)
            case .pdf: Array("%PDF-".utf8)
            case .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            case .jpeg: [0xFF, 0xD8, 0xFF]
            }
        }
    }

    /// What a calendar does with the events in it (RFC 5546, 1.4).
    package enum Method: String, Codable, CaseIterable, Sendable {
        case publish = "PUBLISH"
        /// Invites, or changes an invitation.
        case request = "REQUEST"
        case cancel = "CANCEL"
    }

    /// How large the files of a letter may be together.
    package static let mostBytes = 512 << 10

    package var type: Kind
    package var fileName: Line
    /// Of a calendar, and only of one.
    package var method: Method?
    package var content: FileContent

    package init(type: Kind, fileName: Line, method: Method? = nil, content: FileContent) {
        self.type = type
        self.fileName = fileName
        self.method = method
        self.content = content
    }
}

/// The bytes of a file, in base 64 with padding (RFC 4648, 4).
package struct FileContent: TextValue {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= Self.mostCharacters else {
            throw InvalidText("is longer than \(LetterAttachment.mostBytes) bytes")
        }
        guard let data = Data(base64Encoded: text) else { throw InvalidText("is not base 64") }
        guard !data.isEmpty else { throw InvalidText("is empty") }
        bytes = Array(data)
    }

    package var text: String { Data(bytes).base64EncodedString() }

    private static let mostCharacters = (LetterAttachment.mostBytes + 2) / 3 * 4

    package static var schema: TextSchema {
        TextSchema(
            format: "byte", pattern: "^[A-Za-z0-9+/]+={0,2}$", minLength: 4, maxLength: mostCharacters,
            example: "JVBERi0xLjcK")
    }
}
