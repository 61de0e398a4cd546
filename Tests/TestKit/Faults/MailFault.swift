/// What a ``FaultyMailServer`` does wrong.
package enum MailFault: String, CaseIterable, Sendable {
    /// Greets with 421 and closes.
    case busyGreeting
    /// Answers the first RCPT for a recipient with 450.
    case greylisting
    /// Answers RCPT with 451.
    case localError
    /// Answers RCPT with 550 5.1.1.
    case unknownRecipient
    /// Answers RCPT with 421 and closes.
    case endOfSession
    /// Answers neither RCPT nor DATA, nor anything after it.
    case stallAtCommand
    /// Closes at DATA.
    case dropBeforeText
    /// Closes before the text has ended.
    case dropInText
    /// Reads the text and answers it with 554.
    case refusedText
    /// Reads the text, does not accept it, and answers nothing any more.
    case stallAfterText
    /// Reads the text, does not accept it, and closes.
    case dropAfterText
    /// Accepts the message and closes without saying so.
    case dropAfterAcceptance
    /// The server went down while this connection was open.
    case outage
}

/// How often a ``FaultyMailServer`` does something wrong, from 0 (never) to 1, and a seed that decides when.
///
/// What happens to the nth attempt for a recipient depends on nothing but the seed: not on when the attempt comes, nor
/// on which connection. So the same seed makes the same faults, as far as the client makes the same attempts.
package struct MailFaultPlan: Sendable {
    package typealias Rates = [MailFault: Double]

    private let seed: UInt64
    private let rates: Rates
    private let domains: [String: Rates]

    /// - Parameters:
    ///   - rates: for the greetings, and for the recipients whose domain has no rates of its own. The rates of one
    ///     domain add up to 1 at most.
    ///   - domains: the rates of some recipients, by domain.
    package init(seed: UInt64 = 0, rates: Rates = [:], domains: [String: Rates] = [:]) {
        self.seed = seed
        self.rates = rates
        self.domains = domains
    }

    /// Whether a connection, by its number, is greeted with 421.
    func isBusy(at connection: Int) -> Bool {
        draw("connection \(connection)") < rates[.busyGreeting] ?? 0
    }

    /// What goes wrong with an attempt, numbered from 1, to mail a recipient.
    func fault(of attempt: Int, for recipient: String, at domain: String) -> MailFault? {
        var place = draw("\(recipient) \(attempt)")
        let rates = domains[domain] ?? rates
        // In their order, as a dictionary has none that would be the same in the next process.
        for fault in MailFault.allCases where fault != .busyGreeting && fault != .outage {
            guard let rate = rates[fault], attempt == 1 || fault != .greylisting else { continue }
            if place < rate { return fault }
            place -= rate
        }
        return nil
    }

    /// Whether a stalled attempt still gets its answer to RCPT, and none to DATA.
    func stallsAtData(_ attempt: Int, for recipient: String) -> Bool {
        draw("stall \(recipient) \(attempt)") < 0.5
    }

    /// A number in 0 ..< 1 that depends on the seed and the text: FNV-1a, mixed as in SplitMix64.
    private func draw(_ text: String) -> Double {
        var mixed = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { mixed = (mixed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / 0x1p53
    }
}
