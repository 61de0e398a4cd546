import CXML2
import ClubProtocol

/// Reads XML as its bytes arrive, with libxml2's push parser, in constant memory: no tree is built, and the events of
/// each piece are returned at once. A document type is refused when it begins, so there are no entities but XML's five,
/// no default attributes, and no external resources. libxml2 compares each attribute of an element with all before it,
/// so the length of a tag is checked before libxml2 sees it, in the encodings in which a tag can be recognized without
/// decoding.
final class XMLStream {
    enum Event {
        /// With the attribute `Ccy`, the only one that is read.
        case start(name: String, namespace: String, currency: String?)
        case text([UInt8])
        case end
    }

    struct Fault: Error {
        /// A sentence.
        var detail: String
    }

    /// Nesting depth; camt.053 has about twenty levels.
    private static let depth = 64
    private static let encodings = ["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"]
    private static let isReady: Void = xmlInitParser()

    private var context: xmlParserCtxtPtr?
    private var events: [Event] = []
    private var depth = 0
    private var refusal: String?
    private var tags = TagMeter()

    init() {
        Self.isReady
        var handler = xmlSAXHandler()
        // XML_SAX2_MAGIC: without it libxml2 reports no namespaces.
        handler.initialized = 0xDEED_BEAF
        handler.startDocument = { data in XMLStream.from(data)?.checkEncoding() }
        handler.startElementNs = { data, name, _, namespace, _, _, count, _, attributes in
            XMLStream.from(data)?.start(name, namespace, attributes, Int(count))
        }
        handler.endElementNs = { data, _, _, _ in XMLStream.from(data)?.end() }
        handler.characters = { data, bytes, count in XMLStream.from(data)?.take(bytes, Int(count)) }
        handler.cdataBlock = { data, bytes, count in XMLStream.from(data)?.take(bytes, Int(count)) }
        handler.internalSubset = { data, _, _, _ in XMLStream.from(data)?.refuse("The file has a document type.") }
        handler.externalSubset = { data, _, _, _ in XMLStream.from(data)?.refuse("The file has a document type.") }
        // Keeps errors off standard error; their position is read below.
        handler.serror = { _, _ in }
        context = xmlCreatePushParserCtxt(&handler, Unmanaged.passUnretained(self).toOpaque(), nil, 0, nil)
        if let context { xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue)) }
    }

    deinit {
        guard let context else { return }
        if let document = context.pointee.myDoc { xmlFreeDoc(document) }
        xmlFreeParserCtxt(context)
    }

    /// Takes the next bytes and returns their events.
    func read(_ bytes: some Sequence<UInt8>) throws(Fault) -> [Event] {
        try parse(Array(bytes), isLast: false)
    }

    /// Returns the remaining events when the file has ended.
    func finish() throws(Fault) -> [Event] { try parse([], isLast: true) }

    private func parse(_ bytes: [UInt8], isLast: Bool) throws(Fault) -> [Event] {
        guard let context else { throw Fault(detail: "Out of memory while reading the file.") }
        guard tags.take(bytes) else {
            throw Fault(
                detail:
                    "The file has a tag of more than \(TagMeter.longest) bytes or a comment of more than \(TagMeter.longestRemark >> 10) KiB, or is not in UTF-8."
            )
        }
        events = []
        let status = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                xmlParseChunk(context, characters.baseAddress, Int32(characters.count), isLast ? 1 : 0)
            }
        }
        if let refusal { throw Fault(detail: refusal) }
        guard status == 0, context.pointee.wellFormed == 1 else {
            let line = context.pointee.input?.pointee.line ?? 0
            throw Fault(detail: "The file is not valid XML from line \(line) on.")
        }
        return events
    }

    // MARK: libxml2's callbacks

    private static func from(_ data: UnsafeMutableRawPointer?) -> XMLStream? {
        data.map { Unmanaged<XMLStream>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The declaration has been read, and nothing after it.
    private func checkEncoding() {
        guard let declared = context?.pointee.encoding else { return }
        let name = Self.text(declared).asciiLowercased
        if !Self.encodings.contains(where: { $0.hasSameBytes(as: name) }) {
            refuse("The file is in \(name.prefix(20)): send it in UTF-8.")
        }
    }

    private func start(
        _ name: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?, _ count: Int
    ) {
        depth += 1
        guard depth <= Self.depth else {
            refuse("The elements of the file are nested more than \(Self.depth) deep.")
            return
        }
        var currency: String?
        for index in 0..<count {
            // Name, prefix, namespace, and the start and end of the value.
            guard let attributes, let name = attributes[index * 5], xmlStrEqual(name, "Ccy") == 1,
                let begin = attributes[index * 5 + 3], let end = attributes[index * 5 + 4]
            else { continue }
            currency = String(decoding: UnsafeBufferPointer(start: begin, count: min(end - begin, 16)), as: UTF8.self)
        }
        events.append(.start(name: Self.text(name), namespace: Self.text(namespace), currency: currency))
    }

    private func end() {
        depth -= 1
        events.append(.end)
    }

    private func take(_ bytes: UnsafePointer<xmlChar>?, _ count: Int) {
        guard let bytes, count > 0 else { return }
        events.append(.text(Array(UnsafeBufferPointer(start: bytes, count: count))))
    }

    private func refuse(_ detail: String) {
        refusal = refusal ?? detail
        if let context { xmlStopParser(context) }
    }

    /// Names that are read are short.
    private static func text(_ characters: UnsafePointer<xmlChar>?) -> String {
        guard let characters else { return "" }
        var count = 0
        while count < 100, characters[count] != 0 { count += 1 }
        return String(decoding: UnsafeBufferPointer(start: characters, count: count), as: UTF8.self)
    }
}
