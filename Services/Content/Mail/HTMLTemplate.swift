import ClubProtocol
import Mustache

/// HTML templates, with texts put in by ``HTMLText``.
enum HTMLTemplate {
    private struct Escaping: MustacheContentType {
        func escapeText(_ text: String) -> String { HTMLText.escaped(text) }
    }

    private static let name: String = {
        MustacheContentTypes.register(Escaping(), named: "ESCAPED")
        return "ESCAPED"
    }()

    /// The template's source, which says by itself how texts go into it.
    static func source(_ bytes: [UInt8]) -> String {
        "{{% CONTENT_TYPE:\(name)}}\n" + String(decoding: bytes, as: UTF8.self)
    }
}
