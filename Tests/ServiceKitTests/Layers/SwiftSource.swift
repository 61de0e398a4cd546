/// The words of a Swift source: what it declares for others, and which names it uses. Reads enough of the language for
/// that: comments and the texts of strings are left out, interpolated code is not.
struct SwiftSource {
    struct Word {
        var text: String
        var isAfterDot = false
        var isCalled = false
    }

    /// Types, functions and values at the top level that other files see.
    private(set) var declared: Set<String> = []
    /// Members of extensions that other files see, with the type that they extend.
    private(set) var extended: [(type: String, member: String)] = []
    /// All types, nested ones included.
    private(set) var types: Set<String> = []
    /// All functions, properties and cases.
    private(set) var members: [String] = []
    private(set) var words: [Word] = []

    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        readCode(within: false)
        findDeclarations()
    }

    // MARK: Words

    private func starts(_ text: StaticString) -> Bool {
        place + text.utf8CodeUnitCount <= bytes.count
            && bytes[place..<(place + text.utf8CodeUnitCount)].elementsEqual(
                UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// - Parameter within: whether it is an interpolation, which its closing parenthesis ends.
    private mutating func readCode(within: Bool) {
        var depth = 0
        while place < bytes.count {
            let byte = bytes[place]
            switch byte {
            case UInt8(ascii: "/") where starts("//"):
                place = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            case UInt8(ascii: "/") where starts("/*"):
                while place < bytes.count, !starts("*/") { place += 1 }
            case UInt8(ascii: "\""): readString()
            case UInt8(ascii: "#") where isRawString: readString()
            case _ where Self.isWord(byte): readWord()
            default:
                place += 1
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") { depth -= 1 }
                if within, depth < 0 { return }
                if byte > 0x20, byte < 0x80, byte != UInt8(ascii: "`") {
                    words.append(Word(text: String(UnicodeScalar(byte))))
                }
            }
        }
    }

    private mutating func readWord() {
        let end = bytes[place...].firstIndex { !Self.isWord($0) } ?? bytes.count
        let text = String(decoding: bytes[place..<end], as: UTF8.self)
        place = end
        words.append(Word(text: text, isAfterDot: words.last?.text == ".", isCalled: starts("(") || starts(" {")))
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
    }

    private var isRawString: Bool {
        let end = bytes[place...].firstIndex { $0 != UInt8(ascii: "#") } ?? place
        return end > place && end < bytes.count && bytes[end] == UInt8(ascii: "\"")
    }

    private mutating func readString() {
        let hashes = bytes[place...].prefix { $0 == UInt8(ascii: "#") }.count
        place += hashes
        let quotes = starts("\"\"\"") ? 3 : 1
        place += quotes
        let end =
            Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: hashes)
        let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: hashes)
        while place < bytes.count, !bytes[place...].starts(with: end) {
            guard bytes[place...].starts(with: escape) else {
                place += 1
                continue
            }
            place += escape.count + 1
            if bytes[place - 1] == UInt8(ascii: "(") { readCode(within: true) }
        }
        place += end.count
    }

    // MARK: Declarations

    private mutating func findDeclarations() {
        var depth = 0
        var isHidden = false
        var extended: String?
        for (index, word) in words.enumerated() where !word.isAfterDot {
            let next = index + 1 < words.count ? words[index + 1].text : ""
            switch word.text {
            case "{": depth += 1
            case "}":
                depth -= 1
                if depth == 0 { extended = nil }
            // `private(set)` hides only the setter.
            case "private", "fileprivate": isHidden = next != "("
            case "extension": if depth == 0 { extended = next }
            case "struct", "class", "enum", "actor", "protocol", "typealias", "associatedtype":
                guard let first = next.utf8.first, first &- UInt8(ascii: "A") < 26 else { continue }
                types.insert(next)
                if depth == 0, !isHidden { declared.insert(next) }
                isHidden = false
            case "case": members += cases(after: index)
            case "func", "var", "let":
                members.append(next)
                if depth == 0, !isHidden { declared.insert(next) }
                if depth == 1, let extended, !isHidden { self.extended.append((extended, next)) }
                isHidden = false
            default: break
            }
        }
    }

    /// The names that a `case` of an enum declares, which may be several: `case open(until: Day), closed`.
    private func cases(after keyword: Int) -> [String] {
        var names: [String] = []
        var rest = words[(keyword + 1)...]
        while let name = rest.popFirst(), let first = name.text.utf8.first, Self.isWord(first) {
            names.append(name.text)
            var depth = 0
            while let word = rest.first, depth > 0 || word.text == "(" || word.text == "=" {
                depth += word.text == "(" ? 1 : word.text == ")" ? -1 : 0
                rest.removeFirst()
            }
            guard rest.popFirst()?.text == "," else { break }
        }
        return names
    }
}
