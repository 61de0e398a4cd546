/// A text with placeholders, in the language of Mustache (mustache(5)) as far as our templates use it.
///
/// | tag | is replaced by |
/// | --- | --- |
/// | `{{name}}`, `{{.}}` | a value, escaped; the current one |
/// | `{{#name}}…{{/name}}` | its content: for each element of an array, once for any other value except `false` |
/// | `{{^name}}…{{/name}}` | its content, if that value is absent, `false` or an empty array |
/// | `{{^last()}}…{{/last()}}` | its content, except at the last element of the innermost array |
/// | `{{<layout}}{{$block}}…{{/block}}{{/layout}}` | the template of that name, with these blocks in place of its own |
/// | `{{$block}}…{{/block}}` | a block, or its content by default |
///
/// A name that an element does not have is looked up in the enclosing ones. A tag other than a value that is alone on
/// its line removes the whole line.
package struct Template: Sendable {
    /// How values are written into the text.
    package enum Escaping: Sendable {
        /// As by `HTMLText`; for XML as well.
        case html
        /// Unchanged.
        case none
    }

    let parts: [TemplatePart]
    let escaping: Escaping

    /// - Throws: ``TemplateFault``.
    package init(_ source: [UInt8], escaping: Escaping) throws(TemplateFault) {
        var parser = try TemplateParser(source)
        parts = try parser.parts()
        self.escaping = escaping
    }

    /// The text with all placeholders filled in.
    ///
    /// - Parameters:
    ///   - content: strings, numbers, booleans, dictionaries with string keys, and arrays of all these.
    ///   - templates: those named in `{{<name}}`.
    package func render(_ content: [String: Any], with templates: [String: Template] = [:]) -> String {
        var renderer = TemplateRenderer(content: content, templates: templates, escaping: escaping)
        renderer.render(parts)
        return renderer.text
    }
}

/// An error in a template: a bug in the program, found when it starts.
package struct TemplateFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A parsed template.
indirect enum TemplatePart: Sendable {
    /// What a tag refers to.
    enum Subject: Hashable, Sendable {
        case current
        case name(String)
        case isLast
    }

    case text(String)
    case value(Subject)
    case section(Subject, [TemplatePart])
    case inverted(Subject, [TemplatePart])
    case block(String, [TemplatePart])
    case layout(String, blocks: [String: [TemplatePart]])
}
