/// Says what a mail server meant by a reply, with the table ``ReplyRules``.
enum ReplyClassifier {
    /// Only as many bytes of a text are looked at: servers say what they have to say at the beginning.
    static let longestText = 2000

    /// - Parameters:
    ///   - code: the reply code (RFC 5321, 4.2).
    ///   - text: what follows the code, its lines separated by LF.
    static func classify(code: Int, text: some StringProtocol, stage: SMTPStage) -> ReplyClass {
        ReplyRules.all[rule(for: ReplyFacts(code: code, text: text.utf8.prefix(longestText), stage: stage))].outcome
    }

    /// - Parameter lines: what follows the code, line by line.
    static func classify(code: Int, lines: [String], stage: SMTPStage) -> ReplyClass {
        let text = lines.lazy.map(\.utf8).joined(separator: CollectionOfOne(UInt8(ascii: "\n")))
        return ReplyRules.all[rule(for: ReplyFacts(code: code, text: text.prefix(longestText), stage: stage))].outcome
    }

    /// Classifies a failure from a delivery report (RFC 3464): `Status`, and `Diagnostic-Code` such as
    /// `smtp; 550 5.1.1 User unknown`.
    static func classify(
        status: EnhancedStatus?, diagnostic: some StringProtocol, stage: SMTPStage = .text
    ) -> ReplyClass {
        let facts = ReplyFacts(status: status, diagnostic: Array(diagnostic.utf8.prefix(longestText)), stage: stage)
        return ReplyRules.all[rule(for: facts)].outcome
    }

    /// The place of the first rule that matches; the last one matches everything.
    static func rule(for facts: ReplyFacts) -> Int {
        ReplyRules.all.indices.first { matches(ReplyRules.all[$0], facts, phrases: RulePhrases.all.places[$0]) }
            ?? ReplyRules.all.endIndex - 1
    }

    private static func matches(_ rule: ReplyRule, _ facts: ReplyFacts, phrases: Range<Int>) -> Bool {
        rule.replies.contains(code: facts.code, severity: facts.severity)
            && (rule.stages.isEmpty || rule.stages.contains(facts.stage))
            && (rule.statuses.isEmpty
                || facts.status.map { status in rule.statuses.contains { $0.matches(status) } } == true)
            && (rule.orangeNumbers.isEmpty || !rule.orangeNumbers.isDisjoint(with: facts.orangeNumbers))
            && (rule.words.isEmpty || facts.phrases[phrases].contains(true))
    }
}

/// What the rules look at in a reply.
struct ReplyFacts {
    /// nil in a report that does not have it.
    let code: Int?
    /// The first digit of the code, or the class of the status.
    let severity: Int
    private(set) var status: EnhancedStatus?
    let stage: SMTPStage
    /// For each phrase of the table, whether it occurs.
    let phrases: [Bool]
    let orangeNumbers: Set<Int>

    private init(code: Int?, severity: Int, status: EnhancedStatus?, stage: SMTPStage, words: ReplyWords) {
        self.code = code
        self.severity = severity
        self.stage = stage
        // Both say whether the failure is permanent. If they differ, the code counts, as for every other client
        // (RFC 5321, 4.2.1).
        self.status = status
        self.status?.severity = severity
        phrases = RulePhrases.all.occurring(in: words)
        orangeNumbers = words.orangeNumbers
    }

    /// - Parameter text: bounded by the caller.
    init(code: Int, text: some Sequence<UInt8>, stage: SMTPStage) {
        let bytes = Array(text)
        self.init(
            code: code, severity: code / 100, status: Self.status(inReply: bytes), stage: stage,
            words: ReplyWords(bytes))
    }

    /// - Parameter diagnostic: bounded by the caller.
    init(status: EnhancedStatus?, diagnostic: [UInt8], stage: SMTPStage) {
        let reply = Self.reply(inDiagnostic: diagnostic)
        let status = reply.status ?? status
        // A report that says neither is about a failure all the same.
        self.init(
            code: reply.code, severity: reply.code.map { $0 / 100 } ?? status?.severity ?? 5, status: status,
            stage: stage, words: ReplyWords(diagnostic))
    }

    /// The status at the start of a line; otherwise as qmail writes it, at the end: `no such user (#5.1.1)`.
    private static func status(inReply bytes: [UInt8]) -> EnhancedStatus? {
        var marked: EnhancedStatus?
        var isStart = true
        for (index, byte) in bytes.enumerated() {
            if isStart, let status = EnhancedStatus(bytes[index...]) { return status }
            if byte == UInt8(ascii: "#"), marked == nil { marked = EnhancedStatus(bytes[(index + 1)...]) }
            isStart = byte == UInt8(ascii: "\n") || (isStart && byte == UInt8(ascii: " "))
        }
        return marked
    }

    /// The code in a diagnostic, and the status that follows it; without a code, the first status.
    ///
    /// Other numbers of three digits are common in such texts, so a code is one only at the start, after a colon or a
    /// parenthesis, before a hyphen, or before a status.
    private static func reply(inDiagnostic bytes: [UInt8]) -> (code: Int?, status: EnhancedStatus?) {
        var first: EnhancedStatus?
        /// The byte before this word other than spaces; a semicolon ends the type of the diagnostic.
        var before = UInt8(ascii: ";")
        var isWordStart = true
        for (index, byte) in bytes.enumerated() {
            if isWordStart {
                let rest = bytes[index...]
                if let code = Self.code(rest) {
                    let follower = rest.dropFirst(3).first
                    let status = EnhancedStatus(rest.dropFirst(3).drop { Self.separators.contains($0) })
                    if status != nil || follower == UInt8(ascii: "-") || Self.introductions.contains(before) {
                        return (code, status ?? first)
                    }
                }
                if first == nil { first = EnhancedStatus(rest) }
            }
            if byte != 0x20, byte != 0x0A, byte != 0x09, byte != 0x0D { before = byte }
            isWordStart = !(ReplyWords.isLetterOrDigit(byte) || byte == UInt8(ascii: ".") || byte >= 0x80)
        }
        return (nil, first)
    }

    /// What may stand between code and status.
    private static let separators = Array(" -'#".utf8)
    /// What a code may follow.
    private static let introductions = Array(":;(".utf8)

    /// The negative reply code that the bytes begin with, and that ends there.
    private static func code(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = bytes.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            bytes.dropFirst(3).first.map({ ReplyWords.isLetterOrDigit($0) || $0 == UInt8(ascii: ".") }) != true
        else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return (400..<600).contains(code) ? code : nil
    }
}
