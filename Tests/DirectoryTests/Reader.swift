import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The content of a page or drawing, read by a strict parser: anything that is not well-formed is an error.
final class Reader: NSObject, XMLParserDelegate {
    /// By element name: the text of each, without inner markup, in the order of their end tags.
    private(set) var texts: [String: [String]] = [:]
    /// By element name: the attributes of the first one.
    private(set) var attributes: [String: [String: String]] = [:]
    /// The targets of the links.
    private(set) var links: [String] = []
    /// The names of the fields, and what each offers or contains.
    private(set) var fields: [String: [String]] = [:]
    /// What is selected in the lists of choices.
    private(set) var selected: [String] = []
    private var open: [(name: String, text: String)] = []
    private var field: String?

    static func read(_ text: String) throws -> Reader {
        let reader = Reader()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = reader
        guard parser.parse() else {
            throw NotWellFormed(line: parser.lineNumber, reason: parser.parserError?.localizedDescription ?? "")
        }
        return reader
    }

    struct NotWellFormed: Error {
        let line: Int
        let reason: String
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        open.append((name, ""))
        if self.attributes[name] == nil { self.attributes[name] = attributes }
        switch name {
        case "a": if let link = attributes["href"] { links.append(link) }
        case "input", "select":
            field = attributes["name"]
            if let field { fields[field, default: []] += attributes["value"].map { [$0] } ?? [] }
        case "option":
            guard let field, let value = attributes["value"] else { break }
            fields[field, default: []].append(value)
            if attributes["selected"] != nil { selected.append(value) }
        default: break
        }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        for index in open.indices { open[index].text += text }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard let element = open.popLast() else { return }
        texts[name, default: []].append(element.text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
