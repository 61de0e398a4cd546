/// A shared e-mail address of an organization, by its role.
package struct Mailbox: Codable, Hashable, Sendable {
    package enum Role: String, Codable, CaseIterable, Sendable {
        /// Contributions and receipts are sent to `accounting`.
        case general, accounting, communication, events, press, technical, training
    }

    package var role: Role
    package var email: EmailAddress

    package init(role: Role, email: EmailAddress) {
        self.role = role
        self.email = email
    }
}
