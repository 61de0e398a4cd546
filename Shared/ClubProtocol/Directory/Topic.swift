/// A subject that an organization, an ambassador or an expert knows: a code of the directory's controlled vocabulary.
package struct Topic: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    /// Checks the form of the code: `lowerCamelCase`, 2 to 40 letters and digits. Only the directory knows whether
    /// the vocabulary has it.
    package init(validating text: String) throws(InvalidText) {
        try Code.check(text, "is not a valid topic code")
        self.text = text
    }

    /// The maximum number of topics of one record.
    package static let mostOfOne = 40

    /// The initial codes of the vocabulary.
    package static let starters: [Topic] = [
        "accounting", "artificialIntelligence", "backup", "businessCreation", "cloud", "collaboration",
        "customerRelations", "cybersecurity", "dataProtection", "digitalMarketing", "electronicInvoicing",
        "financing", "hardware", "hosting", "maintenance", "management", "managementSoftware", "mobility", "network",
        "officeSoftware", "onlineSales", "payment", "pointOfSale", "printing", "searchEngines", "socialMedia",
        "telecom", "training", "webSite",
    ]

    package static var schema: TextSchema { Code.schema("webSite") }
    package static func < (left: Topic, right: Topic) -> Bool { left.text < right.text }
}

/// What a member pays and is entitled to: a code of the directory's table of tiers.
package struct Tier: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        try Code.check(text, "is not a valid tier code")
        self.text = text
    }

    /// The initial codes of the table of tiers.
    package static let starters: [Tier] = ["premium", "standard"]

    package static var schema: TextSchema { Code.schema("standard") }
}

/// The form shared by the codes of controlled vocabularies.
enum Code {
    static func check(_ text: String, _ reason: String) throws(InvalidText) {
        let lower = UInt8(ascii: "a")...UInt8(ascii: "z")
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let digit = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (2...40).contains(text.utf8.count), let first = text.utf8.first, lower.contains(first),
            text.utf8.allSatisfy({ lower.contains($0) || upper.contains($0) || digit.contains($0) })
        else { throw InvalidText(reason) }
    }

    static func schema(_ example: String) -> TextSchema {
        TextSchema(pattern: "^[a-z][a-zA-Z0-9]{1,39}$", example: example)
    }
}
