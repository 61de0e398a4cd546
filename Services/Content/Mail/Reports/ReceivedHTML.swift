/// The words of an HTML text, line by line: enough to look for phrases and addresses, not to show it.
enum ReceivedHTML {
    /// Elements that begin a line.
    private static let blocks = Set(
        ["br", "p", "div", "tr", "td", "li", "h1", "h2", "h3", "h4", "table", "pre", "hr"].map { Array($0.utf8) })
    private static let hidden = Set(["style", "script", "head"].map { Array($0.utf8) })
    /// How letters with accents end; phrases are compared without accents.
    private static let accents = Set(["acute", "grave", "circ", "uml", "cedil", "tilde"].map { Array($0.utf8) })

    static func text(_ html: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(html.count)
        var rest = html[...]
        /// The element whose content is left out.
        var hiding: [UInt8]?
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "<") {
                let isEnd = rest.first == UInt8(ascii: "/")
                let name = rest.dropFirst(isEnd ? 1 : 0).prefix(8).prefix(while: ReplyWords.isLetterOrDigit).folded
                // No tags: `a < b`, and `<paul@club.example>`.
                let head = rest.prefix(100).prefix { $0 != UInt8(ascii: ">") && $0 != 0x20 }
                guard !name.isEmpty, !head.contains(UInt8(ascii: "@")) else {
                    text.append(byte)
                    continue
                }
                rest = rest.drop { $0 != UInt8(ascii: ">") }.dropFirst()
                if isEnd, hiding == name { hiding = nil } else if !isEnd, hidden.contains(name) { hiding = name }
                if hiding == nil { text.append(blocks.contains(name) ? 0x0A : 0x20) }
            } else if hiding == nil {
                if byte == UInt8(ascii: "&") { entity(&rest, into: &text) } else { text.append(byte) }
            }
        }
        return text
    }

    /// Takes what follows an ampersand.
    private static func entity(_ rest: inout ArraySlice<UInt8>, into text: inout [UInt8]) {
        let name = rest.prefix(10).prefix { $0 != UInt8(ascii: ";") }
        guard name.count < 10, rest.dropFirst(name.count).first == UInt8(ascii: ";"), !name.isEmpty,
            let value = value(of: name)
        else {
            text.append(UInt8(ascii: "&"))
            return
        }
        text += value
        rest = rest.dropFirst(name.count + 1)
    }

    private static func value(of name: ArraySlice<UInt8>) -> [UInt8]? {
        switch String(decoding: name, as: UTF8.self) {
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "amp": return [UInt8(ascii: "&")]
        case "quot": return [UInt8(ascii: "\"")]
        case "nbsp": return [0x20]
        case "rsquo", "apos": return [UInt8(ascii: "'")]
        default: break
        }
        if name.first == UInt8(ascii: "#") {
            let digits = String(decoding: name.dropFirst().drop { $0 | 0x20 == UInt8(ascii: "x") }, as: UTF8.self)
            let isHexadecimal = name.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
            guard let scalar = UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap(Unicode.Scalar.init) else {
                return nil
            }
            return Array(String(scalar).utf8)
        }
        guard let letter = name.first, accents.contains(Array(name.dropFirst())) else { return nil }
        return [letter]
    }
}
