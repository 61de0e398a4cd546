/// An address of a record that mail comes back from. It is repaired by telephone: another address, or none, ends it.
package struct Unreachable: Codable, Hashable, Sendable {
    /// Of several addresses that mail is sent to, the one that it has come back from for longest.
    package var email: EmailAddress
    /// When the content service stopped writing to it.
    package var since: Timestamp
}
