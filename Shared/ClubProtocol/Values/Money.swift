/// An amount in the smallest unit of its currency: `{"amount": 120000, "currency": "EUR"}` is 1,200 euros.
package struct Money: Codable, Hashable, Sendable, BoundedFields {
    package enum Currency: String, Codable, CaseIterable, Sendable {
        case eur = "EUR"
    }

    /// In cents. Decoding accepts only values within ``range``, so that sums cannot overflow.
    package var amount: Int
    package var currency: Currency

    /// A hundred billion euros, of either sign.
    package static let range = -10_000_000_000_000...10_000_000_000_000
    package static let bounds: KeyValuePairs<String, FieldBound> = ["amount": .values(range)]

    package init(cents: Int, _ currency: Currency = .eur) {
        amount = cents
        self.currency = currency
    }

    private enum CodingKeys: String, CodingKey { case amount, currency }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        amount = try container.decode(Int.self, forKey: .amount)
        guard Self.range.contains(amount) else {
            throw DecodingError.dataCorruptedError(
                forKey: .amount, in: container,
                debugDescription: "must be between \(Self.range.lowerBound) and \(Self.range.upperBound)")
        }
        currency = try container.decode(Currency.self, forKey: .currency)
    }
}
