/// What a mail server meant by a reply, in terms of what follows from it: for the delivery, for the lane (the traffic
/// to one provider, and its pace), and for the address.
enum ReplyClass: String, CaseIterable, Sendable {
    /// The server has taken the message: a positive reply to its text.
    ///
    /// The delivery is sent; the lane grows back; the address's count of soft failures returns to zero.
    case taken
    /// There is no mailbox at this address, or none any more.
    ///
    /// The delivery failed; the lane is not concerned; the failure is hard: the address is not written to again.
    case addressGone
    /// The mailbox exists, and is full.
    ///
    /// The delivery stays pending and fails at its deadline; the lane is not concerned; the failure is soft.
    case mailboxFull
    /// The server refuses strangers at first, to see whether they return (RFC 6647).
    ///
    /// The delivery stays pending and waits 5, 10, 20, 40 minutes, then an hour each time; lane and address are not
    /// concerned.
    case greylisted
    /// We send too much or too fast, or the server is busy.
    ///
    /// The delivery stays pending, and no attempt is counted; the lane is halved, and waits twice as long each time up
    /// to an hour; the address is not concerned.
    case slowDown
    /// The server does not trust our server, our domain or our content: block lists, reputation, spam filters, SPF,
    /// DKIM, DMARC.
    ///
    /// The delivery failed, and can be sent again; the lane is closed for an hour after three in a row; the address is
    /// not concerned, as the reply is the same for every address there.
    case refusedSender
    /// Our configuration is wrong: credentials, relay, envelope sender, commands, or the size of the message.
    ///
    /// The delivery stays pending; the relay is closed and the issue pauses, as every other delivery would meet with
    /// the same reply; the address is not concerned.
    case ourFault
    /// The address's domain has no mail server.
    ///
    /// The delivery stays pending, as name servers fail too; if it is still so a day later it failed, and the failure
    /// is hard. The lane is not concerned.
    case noSuchHost
    /// Any other temporary refusal.
    ///
    /// The delivery stays pending and waits as if ``greylisted``; lane and address are not concerned.
    case deferred
    /// Any other permanent refusal.
    ///
    /// The delivery failed; lane and address are not concerned: see ``ReplyRules`` for why a bare 550 is not taken to
    /// say that the address is gone.
    case refused
}

/// What a reply answers (RFC 5321, 4.3.2).
enum SMTPStage: CaseIterable, Sendable {
    /// The connection itself.
    case greeting
    /// `EHLO`
    case hello
    case startTLS
    /// `AUTH`
    case authentication
    /// `MAIL FROM`
    case sender
    /// `RCPT TO`
    case recipient
    /// `DATA`
    case data
    /// The message, up to its final dot.
    case text
}
