import ClubProtocol

/// Parses a template.
struct TemplateParser {
    private enum Token {
        case text(ArraySlice<UInt8>)
        /// `#`, `^`, `/`, `<` or `$`, or 0 for a value; and the name.
        case tag(kind: UInt8, name: String)
    }

    private static let sections = Array("#^/<$".utf8)
    private var tokens: [Token] = []
    private var next = 0

    init(_ source: [UInt8]) throws(TemplateFault) {
        tokens = Self.withoutTagLines(try Self.tokens(source[...]))
    }

    /// The whole template.
    mutating func parts() throws(TemplateFault) -> [TemplatePart] { try parts(until: nil) }

    private mutating func parts(until end: String?) throws(TemplateFault) -> [TemplatePart] {
        var parts: [TemplatePart] = []
        while next < tokens.count {
            let token = tokens[next]
            next += 1
            switch token {
            case .text(let bytes):
                if !bytes.isEmpty { parts.append(.text(String(decoding: bytes, as: UTF8.self))) }
            case .tag(kind: UInt8(ascii: "/"), let name):
                guard name == end else { throw TemplateFault("{{/\(name)}} ends nothing") }
                return parts
            case .tag(let kind, let name):
                parts.append(try part(kind, name))
            }
        }
        if let end { throw TemplateFault("{{/\(end)}} is missing") }
        return parts
    }

    private mutating func part(_ kind: UInt8, _ name: String) throws(TemplateFault) -> TemplatePart {
        switch kind {
        case UInt8(ascii: "#"): return .section(try Self.subject(name), try parts(until: name))
        case UInt8(ascii: "^"): return .inverted(try Self.subject(name), try parts(until: name))
        case UInt8(ascii: "$"): return .block(name, try parts(until: name))
        case UInt8(ascii: "<"):
            var blocks: [String: [TemplatePart]] = [:]
            for case .block(let block, let content) in try parts(until: name) { blocks[block] = content }
            return .layout(name, blocks: blocks)
        default: return .value(try Self.subject(name))
        }
    }

    private static func subject(_ name: String) throws(TemplateFault) -> TemplatePart.Subject {
        switch name {
        case ".": return .current
        case "last()": return .isLast
        default:
            let isName = name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
            guard isName, !name.isEmpty else { throw TemplateFault("{{\(name)}} names nothing") }
            return .name(name)
        }
    }

    // MARK: Tokens

    private static func tokens(_ source: ArraySlice<UInt8>) throws(TemplateFault) -> [Token] {
        var tokens: [Token] = []
        var rest = source
        while let open = place(of: UInt8(ascii: "{"), in: rest) {
            guard let close = place(of: UInt8(ascii: "}"), in: rest[open...]) else {
                throw TemplateFault("a tag has no end")
            }
            tokens.append(.text(rest[..<open]))
            var name = rest[(open + 2)..<close]
            var kind: UInt8 = 0
            if let first = name.first, sections.contains(first) {
                kind = first
                name = name.dropFirst()
            }
            tokens.append(.tag(kind: kind, name: String(decoding: name, as: UTF8.self)))
            rest = rest[(close + 2)...]
        }
        tokens.append(.text(rest))
        return tokens
    }

    /// The position at which a byte occurs twice in a row.
    private static func place(of byte: UInt8, in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.dropLast().first { bytes[$0] == byte && bytes[$0 + 1] == byte }
    }

    /// Removes the rest of lines that contain nothing but one tag, if that is not a value.
    private static func withoutTagLines(_ tokens: [Token]) -> [Token] {
        var result = tokens
        for place in stride(from: 1, to: tokens.count, by: 2) {
            guard case .tag(let kind, _) = tokens[place], kind != 0,
                case .text(let before) = tokens[place - 1], case .text(let after) = tokens[place + 1]
            else { continue }
            let line = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
            let end = after.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
            // At the beginning of the template there is no line before, at its end none after.
            guard line != nil || place == 1, end != nil || place == tokens.count - 2,
                before[(line ?? before.startIndex)...].allSatisfy(isSpace),
                after[..<(end ?? after.endIndex)].dropLast(end == nil ? 0 : 1).allSatisfy(isSpace)
            else { continue }
            // The previous tag may have removed the beginning of the text already.
            if case .text(let kept) = result[place - 1] {
                result[place - 1] = .text(kept[..<max(kept.startIndex, line ?? before.startIndex)])
            }
            result[place + 1] = .text(after[(end ?? after.endIndex)...])
        }
        return result
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
