/// An answer that is no JSON: its bytes are the body.
package protocol RawDocument: Sendable {}

/// The response of operations that answer a file as it is: a PDF. No JSON is made of it.
package struct FileDocument: RawDocument, Codable, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// The response of operations that answer a text as it is: a page, a drawing, a table. No JSON is made of it.
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
