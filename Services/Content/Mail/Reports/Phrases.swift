/// Phrases that are looked for in a text, as ``ReplyWords`` folds it: one begins with a word and may end within one.
struct Phrases: Sendable, ExpressibleByArrayLiteral {
    /// By their first byte.
    private let byFirst: [UInt8: [[UInt8]]]

    init(arrayLiteral phrases: String...) {
        let folded = phrases.map { phrase in
            Array(ReplyWords(Array(phrase.utf8)).bytes.dropFirst().dropLast())
        }
        precondition(folded.allSatisfy { !$0.isEmpty }, "a phrase has no words")
        byFirst = Dictionary(grouping: folded) { $0[0] }
    }

    func occur(in words: ReplyWords) -> Bool { words.starts.contains { occur(in: words, at: $0) } }

    /// Whether one of them is at the beginning of a text.
    func begin(_ words: ReplyWords) -> Bool { occur(in: words, at: 1) }

    private func occur(in words: ReplyWords, at place: Int) -> Bool {
        guard place < words.bytes.count else { return false }
        let first = words.bytes[place]
        // Any phrase can begin with a letter that was lost.
        if first == ReplyWords.lost { return byFirst.values.joined().contains { words.has($0, at: place) } }
        return byFirst[first]?.contains { words.has($0, at: place) } == true
    }
}
