/// An amount in the smallest unit of its currency: `{"amount": 120000, "currency": "EUR"}` is 1,200 euros.
package struct Money: Codable, Hashable, Sendable {
    package enum Currency: String, Codable, CaseIterable, Sendable {
        case eur = "EUR"
    }

    package var amount: Int
    package var currency: Currency

    package init(cents: Int, _ currency: Currency = .eur) {
        amount = cents
        self.currency = currency
    }
}

/// A field of a merge patch (RFC 7396): absent leaves it, `null` clears it, a value sets it.
package typealias Patched<Value> = Value??
