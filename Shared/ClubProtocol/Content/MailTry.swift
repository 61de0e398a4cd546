/// One try to hand a mail over to a mail server, and what came of it.
package struct MailTry: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, CaseIterable, Sendable {
        /// The server accepted it.
        case sent
        /// It is tried again.
        case pending
        /// The server refused it for good.
        case failed
        /// It is unknown whether the server accepted it.
        case uncertain
    }

    /// Counted from 1. A try that does not count, because the server asked us to slow down, has the number of the next.
    package var attempt: Int
    package var at: Timestamp
    package var outcome: Outcome
    /// What the reply was read as, in one word: `greylisted`, `slowDown`, `addressGone`; absent if there was none.
    package var meaning: String?
    /// The mail server's reply, or what happened to the connection.
    package var reply: String?
}
