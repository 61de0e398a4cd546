/// A reader agreed again, by the link of a mail, to what they had left by it: the data of the entity `consentReturn` in
/// the change feed of the content service. The directory writes it in its ledger of consents.
package struct ConsentReturn: Codable, Hashable, Sendable {
    package typealias ID = Identifier<ConsentReturn>

    /// How long after leaving the link of the mail takes a return: a mail is forwarded, and older ones are found.
    package static let days = 30

    package var id: ID
    package var email: EmailAddress
    package var purpose: Suppression.Purpose
    /// When they had left.
    package var leftAt: Timestamp
    package var returnedAt: Timestamp

    package init(id: ID, email: EmailAddress, purpose: Suppression.Purpose, leftAt: Timestamp, returnedAt: Timestamp) {
        self.id = id
        self.email = email
        self.purpose = purpose
        self.leftAt = leftAt
        self.returnedAt = returnedAt
    }
}
