/// A response that is not JSON: its bytes are the body.
package protocol RawDocument: Sendable {}

/// A file returned as is, such as a PDF. It is not encoded as JSON.
package struct FileDocument: RawDocument, Codable, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// A text returned as is, such as a page, a drawing or a table. It is not encoded as JSON.
package struct TextDocument: RawDocument, Codable, Hashable {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
