import ClubProtocol
import FoundationEssentials
import NIOCore

/// Where mails are handed over.
protocol MailTransport: Sendable {
    /// Whether handing over the same message twice leaves one message.
    var repeatsHarmlessly: Bool { get }
    /// How many connections this process may have at once.
    var connections: Int { get }
    /// The address that mails are sent from.
    var sender: EmailAddress { get }
    /// Opens a connection for a series of messages, used by one task at a time.
    ///
    /// - Throws: ``MailUnreachable``.
    func connect() async throws -> any MailSession
}

/// A series of messages over one connection, used by one task at a time.
///
/// The envelope of a message goes out together with the text of the one before, where the server can take that. So the
/// text of a message can be decided on when the server is ready for it, and begins without a further round trip.
protocol MailSession: Sendable {
    /// Sends the envelope of the first message, or of one after another was refused.
    func offer(_ envelope: MailEnvelope) async
    /// The server's answer to the last envelope; nil if there is none yet after about this time.
    func answer(within limit: TimeAmount) async -> MailOffer?
    /// Sends the text of a message for which the server is ready, and the envelope of the next one.
    func send(_ text: ByteBuffer, then next: MailEnvelope?) async
    /// What became of the text; nil if there is no answer yet after about this time. The server's answer to the next
    /// envelope comes after it.
    func outcome(within limit: TimeAmount) async -> MailOutcome?
    /// Ends the connection; the server's farewell is waited for a second at most. A message whose envelope was sent, but
    /// not its text, is not delivered.
    func close() async
}

/// What a server has to know of a message before its text.
struct MailEnvelope: Sendable {
    var id: MailMessage.ID
    var sender: EmailAddress
    var recipient: EmailAddress
    /// In bytes.
    var size: Int
}

/// A server's answer to an envelope.
enum MailOffer: Sendable {
    /// It waits for the text.
    case ready
    /// - isLast: whether the connection takes no other message.
    case refused(SMTPReply, SMTPStage, isLast: Bool)
    /// The connection has ended, for a reason in words for people.
    case lost(String)
}

/// The outcome of handing over one text.
enum MailOutcome: Sendable {
    case accepted(String)
    case refused(SMTPReply)
    /// The connection was lost before the whole text was sent: the server cannot have accepted it.
    case lost(String)
    /// The connection was lost after the whole text was sent: the server may have accepted it.
    case uncertain(String)
}

/// No mail server can be reached, or it does not accept us.
struct MailUnreachable: Error {
    var reason: String
    /// What the server said, and when; nil if there is no connection.
    var reply: SMTPReply?
    var stage = SMTPStage.greeting
}
