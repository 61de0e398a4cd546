/// An address of an organization that several people read, by what is to be written there.
package struct Mailbox: Codable, Hashable, Sendable {
    package enum Role: String, Codable, CaseIterable, Sendable {
        /// Contributions and receipts go to `accounting`.
        case general, accounting, communication, events, press, technical, training
    }

    package var role: Role
    package var email: EmailAddress

    package init(role: Role, email: EmailAddress) {
        self.role = role
        self.email = email
    }
}
