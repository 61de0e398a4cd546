/// A field of a search form on a page. Browsers send it even when it is empty.
package struct FormField<Value: TextValue>: TextValue {
    package let text: String
    /// Nil if nothing was entered.
    package let value: Value?

    package init(validating text: String) throws(InvalidText) {
        let entered = String(text.unicodeScalars.trimmingBlanks)
        self.text = entered
        value = entered.isEmpty ? nil : try Value(validating: entered)
    }

    package init(_ value: Value?) {
        self.value = value
        text = value?.text ?? ""
    }

    package static var schema: TextSchema {
        TextSchema(maxLength: Value.schema.maxLength, example: Value.schema.example)
    }
}

/// A choice in a search form on a page: one of the cases, or empty for any.
package struct FormChoice<Value: RawRepresentable & CaseIterable & Hashable & Sendable>: TextValue
where Value.RawValue == String {
    package let text: String
    /// Nil for any.
    package let value: Value?

    package init(validating text: String) throws(InvalidText) {
        // The choices are short ASCII names; nothing else is compared with them.
        guard text.utf8.count <= 64, text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw InvalidText("is not one of the choices")
        }
        self.text = text
        value = Value(rawValue: text)
        guard text.isEmpty || value != nil else { throw InvalidText("is not one of the choices") }
    }

    package init(_ value: Value?) {
        self.value = value
        text = value?.rawValue ?? ""
    }

    package static var schema: TextSchema {
        TextSchema(
            pattern: "^(" + Value.allCases.map(\.rawValue).joined(separator: "|") + ")?$",
            example: Value.allCases.first.map(\.rawValue) ?? "")
    }
}

extension Substring.UnicodeScalarView {
    fileprivate var trimmingBlanks: Substring.UnicodeScalarView {
        var rest = self
        while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return rest
    }
}

extension String.UnicodeScalarView {
    fileprivate var trimmingBlanks: Substring.UnicodeScalarView { self[...].trimmingBlanks }
}
