import Foundation
import Testing

/// A part of a message, read independently of the code that wrote it.
struct MessagePart {
    /// By lower-case names, unfolded.
    var fields: [String: String] = [:]
    var body = ""
    var parts: [MessagePart] = []

    init(_ text: String) {
        let split = text.range(of: "\r\n\r\n")
        let head = String(text[..<(split?.lowerBound ?? text.endIndex)])
        body = String(text[(split?.upperBound ?? text.endIndex)...])
        for line in head.replacing("\r\n ", with: " ").components(separatedBy: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = String(line[colon...].dropFirst(2))
        }
        if let boundary = type.firstMatch(of: /boundary="([^"]+)"/)?.1 {
            var pieces = "\r\n\(body)".components(separatedBy: "\r\n--\(boundary)")
            let end = text.hasSuffix("--\r\n") ? "--\r\n" : "--"
            #expect(pieces.removeFirst().isEmpty)
            #expect(pieces.removeLast() == end)
            parts = pieces.map { MessagePart(String($0.dropFirst())) }
        }
    }

    var type: String { fields["content-type"] ?? "" }
    /// The types of all parts without parameters, as a tree.
    var outline: String {
        let name = type.components(separatedBy: ";")[0]
        return parts.isEmpty ? name : "\(name)(\(parts.map(\.outline).joined(separator: " ")))"
    }
    var data: Data? { Data(base64Encoded: body.replacing("\r\n", with: "")) }
    /// The file name as a reader of RFC 2231 sees it.
    var fileName: String? {
        let disposition = fields["content-disposition"] ?? ""
        let sections = disposition.matches(of: /filename\*(?:\d+\*)?=(?:utf-8'')?([^;]+)/).map { String($0.1) }
        if !sections.isEmpty { return sections.joined().removingPercentEncoding }
        return disposition.firstMatch(of: /filename="([^"]*)"/).map { String($0.1) }
    }
    /// The file name as a reader that decodes encoded words everywhere sees it.
    var name: String? {
        guard let name = type.firstMatch(of: /name="([^"]*)"/)?.1 else { return nil }
        let words = name.matches(of: /=\?utf-8\?B\?([^?]*)\?=/)
        guard !words.isEmpty else { return String(name) }
        return words.map { Data(base64Encoded: String($0.1)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
            .joined()
    }
}
