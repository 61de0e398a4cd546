/// One page of a list, and the cursor of the next: `{"items": […], "next": "…"}`; the last page has no `next`.
package struct Page<Item: Codable & Sendable>: Codable, Sendable {
    package var items: [Item]
    package var next: Cursor?

    package init(items: [Item], next: Cursor? = nil) {
        self.items = items
        self.next = next
    }
}

extension Page: Equatable where Item: Equatable {}

/// Where to continue a list: opaque to the caller, signed by the service that issued it.
package struct Cursor: TextValue {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard !text.isEmpty, text.utf8.count <= 2048 else { throw InvalidText("is not a valid cursor") }
        self.text = text
    }

    package static var schema: TextSchema { TextSchema(maxLength: 2048, example: "eyJhIjpbIkFnZW5jZSJdfQ") }
}

/// The maximum number of items on a page: 1 to 200.
package struct PageLimit: Codable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    package static let standard: PageLimit = 50
    package static let range = 1...200
    package let value: Int

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try container.decode(Int.self)
        guard Self.range.contains(value) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "must be between \(Self.range.lowerBound) and \(Self.range.upperBound)"
            )
        }
    }

    package init(integerLiteral value: Int) {
        precondition(Self.range.contains(value))
        self.value = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
