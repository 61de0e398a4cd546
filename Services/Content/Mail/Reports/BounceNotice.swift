import ClubProtocol

/// A text in which a mail server says, in its own words, what became of a message.
struct BounceNotice {
    enum Outcome { case failed, delayed, delivered }

    /// A recipient, and what the text says after it.
    struct Entry {
        var recipient: EmailAddress
        var text: [UInt8]
    }

    /// Servers say at the beginning what they have to say; what follows is our own message.
    private static let longest = 64 << 10
    private static let mostLines = 2000
    private static let mostEntries = 100
    private static let longestEntry = 4000

    /// nil if it says nothing of the kind.
    private(set) var outcome: Outcome?
    private(set) var entries: [Entry] = []
    /// Recipients that are read out of its sentences, where it lists none.
    private(set) var guesses: [Entry] = []
    /// All of its words, but for the copy of our message.
    let words: ReplyWords
    /// The text from the sentence that says the outcome; all of it where there is none.
    private(set) var body: [UInt8] = []
    /// The copy of our message, as far as there is one.
    private(set) var copy: ArraySlice<UInt8>

    /// - Parameter own: addresses that are ours, not a recipient's.
    init(_ text: [UInt8], own: Set<ByteKey>) {
        let lines = Self.lines(of: text)
        copy = lines.last.map { text[$0.endIndex...] } ?? text[...]
        words = ReplyWords(Array(text[..<copy.startIndex]))
        let paragraphs = lines.split { $0.trimmed.isEmpty }.map(Array.init)
        let saying = paragraphs.map { ReplyWords($0.joinedLines) }
        if saying.contains(where: BounceTexts.delayed.occur) || BounceTexts.delayed.occur(in: words) {
            outcome = .delayed
        } else if Self.saysFailed(words) {
            outcome = .failed
        } else if BounceTexts.delivered.occur(in: words) {
            outcome = .delivered
        }
        // A sentence that goes over an empty line is in no paragraph.
        var first = saying.firstIndex { Self.saysFailed($0) || BounceTexts.delayed.occur(in: $0) } ?? 0
        if let quotedLine = paragraphs.firstIndex(where: { $0.contains(where: Self.isAddressLine) }) {
            if outcome == nil {
                outcome = .failed
                first = quotedLine
            }
            first = min(first, quotedLine)
        }
        guard outcome != nil else { return }
        let rest = paragraphs[min(first, paragraphs.count)...]
        body = Array(rest.map(\.joinedLines).joined(separator: [0x0A]).prefix(Self.longestEntry))
        entries = Self.entries(in: rest, own)
        guard entries.isEmpty else { return }
        guesses = sentences(rest, saying, own)
        if guesses.isEmpty { guesses = Self.entries(in: paragraphs[...], own) }
    }

    private static func saysFailed(_ words: ReplyWords) -> Bool {
        BounceTexts.failed.occur(in: words) || BounceTexts.failedInFrench.occur(in: words)
            || BounceTexts.failedInGerman.occur(in: words)
    }

    /// The lines before the copy of our message.
    private static func lines(of text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var reader = ByteLines(text.prefix(longest))
        while lines.count < mostLines, let line = reader.next(), !beginsCopy(line) { lines.append(line) }
        return lines
    }

    /// Whether a line announces the copy, or is the first field that servers write into one.
    private static func beginsCopy(_ line: ArraySlice<UInt8>) -> Bool {
        let line = line.drop { $0 == UInt8(ascii: ">") }
        if let field = ReceivedFields.field(line.prefix(100)), copiedFields.contains(ByteKey(field.name)) {
            return true
        }
        let trimmed = line.trimmed
        guard let last = trimmed.last else { return false }
        let isRule = trimmed.starts(with: "--".utf8) || trimmed.starts(with: "==".utf8)
        let isAnnouncement = last == UInt8(ascii: ":")
        guard isRule || isAnnouncement || trimmed.count < 60 else { return false }
        let words = ReplyWords(Array(trimmed.prefix(200)))
        // `The following addresses did not receive a copy of your message:`
        guard !saysFailed(words) else { return false }
        if isRule || isAnnouncement { return BounceTexts.copies.occur(in: words) }
        return BounceTexts.copies.occur(in: words) && Self.announcements.occur(in: words)
    }

    private static let copiedFields = Set(
        ["received", "return-path", "message-id", "dkim-signature", "mime-version", "x-received"].map(ByteKey.init))
    /// `Original message follows.`, where it is a line of its own.
    private static let announcements: Phrases = ["follow", "attached", "below", "ci-dessous", "suit"]

    /// `<paul@club.example>:`, as qmail and Postfix begin what they say of a recipient.
    private static func isAddressLine(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.first == UInt8(ascii: "<"), let found = AddressScanner.leading(line.dropFirst()) else {
            return false
        }
        return found.rest.starts(with: ">:".utf8)
    }

    /// Reads lines that begin with an address, and what follows each.
    private static func entries(in paragraphs: ArraySlice<[ArraySlice<UInt8>]>, _ own: Set<ByteKey>) -> [Entry] {
        var entries: [Entry] = []
        var current: Int?
        var places: [ByteKey: Int] = [:]
        for line in paragraphs.joined(separator: [[]]) {
            var text = line.trimmed
            if let found = beginning(of: text), !isOwn(found.address, own) {
                let key = ByteKey(found.address.text.asciiLowercased)
                if let known = places[key] {
                    current = known
                } else if entries.count < mostEntries {
                    places[key] = entries.count
                    current = entries.count
                    entries.append(Entry(recipient: found.address, text: []))
                }
                text = found.rest.drop { isOrnament($0) || endings.contains($0) }
            } else if let current, let origin = origin(in: text) {
                // We wrote to the address that was forwarded from.
                entries[current].recipient = origin
            }
            if let current, entries[current].text.count < longestEntry {
                entries[current].text += text.prefix(longestEntry) + [0x0A]
            }
        }
        return entries
    }

    /// The address at the beginning of a line: `<paul@club.example>: …`, `* paul@…`, `Recipient: [SMTP:paul@…]`.
    private static func beginning(of line: ArraySlice<UInt8>) -> (address: EmailAddress, rest: ArraySlice<UInt8>)? {
        let line = line.prefix(1000).drop(while: isOrnament)
        if let found = AddressScanner.leading(line) { return isProse(found.rest) ? nil : found }
        guard
            let colon = line.prefix(60).lastIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "=") })
                ?? line.prefix(20).firstIndex(of: 0x20)
        else { return nil }
        let isLabel = BounceTexts.labels.begin(ReplyWords(Array(line[..<colon])))
        // X.400: `c=US;a= ;p=X;dda:SMTP=paul@club.example`
        guard isLabel || line[colon] == UInt8(ascii: "=") else { return nil }
        return AddressScanner.leading(line[(colon + 1)...].drop(while: isOrnament))
    }

    /// Whether an address is within a sentence that happens to have a line end before it: `paul@club.example fails, try`.
    private static func isProse(_ rest: ArraySlice<UInt8>) -> Bool {
        guard rest.first == 0x20, let letter = rest.dropFirst().first, letter &- UInt8(ascii: "a") < 26 else {
            return false
        }
        return !rest.dropFirst().starts(with: "on ".utf8)
    }

    private static func isOrnament(_ byte: UInt8) -> Bool { ornaments.contains(byte) }
    private static let ornaments = Set(" \t*>-\"'<([•".utf8)
    /// What is between an address and what is said of it.
    private static let endings = Set(":,)]".utf8)

    private static func isOwn(_ address: EmailAddress, _ own: Set<ByteKey>) -> Bool {
        let text = address.text.asciiLowercased
        return own.contains(ByteKey(text)) || text.hasBytePrefix("postmaster@") || text.hasBytePrefix("mailer-daemon@")
    }

    /// `(expanded from: <paul@club.example>)`
    private static func origin(in line: ArraySlice<UInt8>) -> EmailAddress? {
        guard line.first == UInt8(ascii: "("), BounceTexts.expansions.begin(ReplyWords(Array(line.prefix(200)))) else {
            return nil
        }
        return AddressScanner.all(in: line.prefix(400), most: 1).first
    }

    /// Reads addresses within the sentences that say the outcome: `your message to paul@club.example was not delivered`.
    private func sentences(
        _ paragraphs: ArraySlice<[ArraySlice<UInt8>]>, _ saying: [ReplyWords], _ own: Set<ByteKey>
    ) -> [Entry] {
        var entries: [Entry] = []
        for (index, paragraph) in zip(paragraphs.indices, paragraphs)
        where Self.saysFailed(saying[index]) || BounceTexts.delayed.occur(in: saying[index]) {
            let text = paragraph.joinedLines
            for address in Self.addressed(in: text[...]) where !Self.isOwn(address, own) {
                let isKnown = entries.contains { $0.recipient.text.hasSameBytes(as: address.text) }
                guard !isKnown, entries.count < Self.mostEntries else { continue }
                entries.append(Entry(recipient: address, text: body))
            }
        }
        return entries
    }

    /// The addresses that are behind a preposition.
    private static func addressed(in text: ArraySlice<UInt8>) -> [EmailAddress] {
        var found: [EmailAddress] = []
        var before: ArraySlice<UInt8> = []
        for word in text.prefix(longestEntry).split(whereSeparator: { $0 <= 0x20 }) {
            let bare = word.drop(while: isOrnament)
            if prepositions(before), let address = AddressScanner.leading(bare)?.address { found.append(address) }
            before = bare
        }
        return found
    }

    private static func prepositions(_ word: ArraySlice<UInt8>) -> Bool {
        let bare = word.prefix(20).prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ",") }
        return BounceTexts.prepositions.contains(bare.folded)
    }
}

extension [ArraySlice<UInt8>] {
    /// The lines of a paragraph, LF between them.
    var joinedLines: [UInt8] { Array<UInt8>(joined(separator: CollectionOfOne(UInt8(ascii: "\n")))) }
}
