import ClubProtocol

/// The words of a text without what differs between servers that mean the same: lower case, no accents, no
/// punctuation, no numbers, no addresses.
///
/// `550-5.1.1 <zoé@x.example>: Boîte pleine.` has the words `boite pleine`, and `User zoe@x.example unknown` has the
/// words `user unknown`. Without addresses, a recipient or a sender called *spam* is not taken for a verdict.
struct ReplyWords {
    /// A space, then each word and a space.
    private(set) var bytes: [UInt8] = [space]

    static let space = UInt8(ascii: " ")
    /// A letter that was lost when a text in Latin-1 was read as UTF-8: it matches any.
    static let lost = UInt8(ascii: "?")

    init(_ text: [UInt8]) {
        bytes.reserveCapacity(text.count + 2)
        var index = 0
        var wordStart = 1
        var tokenStart = 1
        var isAddress = false
        func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 || byte == Self.lost }
        func endWord(in bytes: inout [UInt8]) {
            if bytes[wordStart...].contains(where: isLetter) {
                bytes.append(Self.space)
            } else {
                bytes.removeSubrange(wordStart...)
            }
            wordStart = bytes.endIndex
        }
        while index < text.count {
            let start = index
            let folded = Self.fold(text, at: &index)
            let byte = text[start]
            if byte <= Self.space || Self.brackets.contains(byte) {
                if !isAddress { endWord(in: &bytes) }
                isAddress = false
                tokenStart = bytes.endIndex
            } else if byte == UInt8(ascii: "@") {
                bytes.removeSubrange(tokenStart...)
                wordStart = tokenStart
                isAddress = true
            } else if !isAddress, let folded {
                if folded != Self.space {
                    bytes.append(folded)
                } else if byte == UInt8(ascii: "-"), wordStart < bytes.endIndex, isLetter(bytes[bytes.endIndex - 1]),
                    index < text.count, text[index] &- UInt8(ascii: "0") < 10
                {
                    // Codes such as `RP-001` stay one word.
                    bytes.append(UInt8(ascii: "_"))
                } else {
                    endWord(in: &bytes)
                }
            }
        }
        if !isAddress { endWord(in: &bytes) }
    }

    /// What ends an address, besides spaces and control characters.
    private static let brackets = Set("<>()[]{}\"',;:".utf8)

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
    }

    /// The character at an index as a lower-case letter, a digit, an underscore or ``lost``; a space for others, and
    /// nil for a combining accent.
    private static func fold(_ text: [UInt8], at index: inout Int) -> UInt8? {
        let byte = text[index]
        index += 1
        if isLetterOrDigit(byte) { return byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
        if byte == UInt8(ascii: "_") { return byte }
        guard byte >= 0x80, index < text.count else { return space }
        switch (byte, text[index]) {
        case (0xC3, let second) where second & 0xC0 == 0x80:
            index += 1
            return second == 0x9F ? UInt8(ascii: "s") : letter(second | 0x20)
        case (0xCC, let second) where second & 0xC0 == 0x80:
            index += 1
            return nil
        case (0xEF, 0xBF) where index + 1 < text.count && text[index + 1] == 0xBD:
            index += 2
            return lost
        default: return space
        }
    }

    /// The letter below the accent, by the second byte of U+00E0…U+00FF in UTF-8.
    private static func letter(_ second: UInt8) -> UInt8 {
        switch second {
        case 0xA0...0xA5: UInt8(ascii: "a")
        case 0xA7: UInt8(ascii: "c")
        case 0xA8...0xAB: UInt8(ascii: "e")
        case 0xAC...0xAF: UInt8(ascii: "i")
        case 0xB1: UInt8(ascii: "n")
        case 0xB2...0xB6: UInt8(ascii: "o")
        case 0xB9...0xBC: UInt8(ascii: "u")
        case 0xBD, 0xBF: UInt8(ascii: "y")
        default: space
        }
    }

    /// The places at which words begin.
    var starts: some Sequence<Int> {
        bytes.indices.lazy.filter { [bytes] in $0 > 0 && bytes[$0 - 1] == Self.space }
    }

    /// Whether a phrase occurs at a place.
    func has(_ phrase: [UInt8], at place: Int) -> Bool {
        guard phrase.count <= bytes.count - place else { return false }
        for index in phrase.indices where phrase[index] != bytes[place + index] {
            guard bytes[place + index] == Self.lost, phrase[index] &- UInt8(ascii: "a") < 26 else { return false }
        }
        return true
    }

    /// The reasons that Orange and La Poste give as numbers: the last three digits of `OFR_416`, `OFR004_405`,
    /// `LPN007_510`. What precedes them names one of their servers.
    var orangeNumbers: Set<Int> {
        var numbers: Set<Int> = []
        for start in starts {
            let word = bytes[start...].prefix { $0 != Self.space }
            guard word.count >= 6, Self.orangePrefixes.contains(Array(word.prefix(3))) else { continue }
            let digits = word.suffix(3)
            guard digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
                word.count == 6 || word[digits.startIndex - 1] == UInt8(ascii: "_")
            else { continue }
            numbers.insert(digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
        }
        return numbers
    }

    private static let orangePrefixes = Set(["ofr", "lpn", "ouk"].map { Array($0.utf8) })
}

/// The phrases of all rules, so that a text is gone through once for all of them.
struct RulePhrases: Sendable {
    static let all = RulePhrases(ReplyRules.all)

    /// For each rule, where its phrases are.
    let places: [Range<Int>]
    private let phrases: [[UInt8]]
    /// The phrases that begin with a byte.
    private let byFirst: [UInt8: [Int]]

    private init(_ rules: [ReplyRule]) {
        var places: [Range<Int>] = []
        var phrases: [[UInt8]] = []
        for rule in rules {
            let first = phrases.count
            for words in rule.words {
                var phrase = ReplyWords(Array(words.utf8)).bytes.dropFirst()
                if !words.hasByteSuffix(" ") { phrase = phrase.dropLast() }
                phrases.append(Array(phrase))
            }
            places.append(first..<phrases.count)
        }
        self.places = places
        self.phrases = phrases
        byFirst = Dictionary(grouping: phrases.indices) { phrases[$0].first ?? ReplyWords.space }
    }

    /// For each phrase, whether it begins somewhere with a word of the text.
    func occurring(in words: ReplyWords) -> [Bool] {
        var occurs = [Bool](repeating: false, count: phrases.count)
        for start in words.starts {
            // Any phrase can begin with a letter that was lost.
            let first = words.bytes[start]
            let candidates = first == ReplyWords.lost ? Array(phrases.indices) : byFirst[first, default: []]
            for index in candidates where !occurs[index] && words.has(phrases[index], at: start) {
                occurs[index] = true
            }
        }
        return occurs
    }
}
