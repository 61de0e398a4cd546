/// A text with places to be filled in, in the language of Mustache (mustache(5)) as far as our templates use it.
///
/// | tag | is replaced by |
/// | --- | --- |
/// | `{{name}}`, `{{.}}` | a value, escaped; the one at hand |
/// | `{{#name}}…{{/name}}` | what is within: for each element of an array, once for what else is there and not `false` |
/// | `{{^name}}…{{/name}}` | what is within, where that is absent, `false` or empty of elements |
/// | `{{^last()}}…{{/last()}}` | what is within, but at the last element of the innermost array |
/// | `{{<layout}}{{$block}}…{{/block}}{{/layout}}` | the template of that name, with these blocks in place of its own |
/// | `{{$block}}…{{/block}}` | a block, or what is within where nobody gave one |
///
/// A name that an element does not have is looked for in what is around it. A tag of more than a value that is alone on its line
/// takes the line with it.
package struct Template: Sendable {
    /// How values go into the text.
    package enum Escaping: Sendable {
        /// As ``HTMLText`` has them; XML as well.
        case html
        /// As they are.
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

    /// The text with everything filled in.
    ///
    /// - Parameters:
    ///   - content: strings, numbers, booleans, dictionaries by strings, and arrays of all these.
    ///   - templates: those whose names stand in `{{<name}}`.
    package func render(_ content: [String: Any], with templates: [String: Template] = [:]) -> String {
        var renderer = TemplateRenderer(content: content, templates: templates, escaping: escaping)
        renderer.render(parts)
        return renderer.text
    }
}

/// What is wrong in a template: an error of the program, found when it starts.
package struct TemplateFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A template, read.
indirect enum TemplatePart: Sendable {
    /// What a tag asks for.
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
