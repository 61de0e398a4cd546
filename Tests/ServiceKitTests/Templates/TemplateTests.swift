import Foundation
import Mustache
import Testing

@testable import ServiceKit

/// Compared with an independent implementation.
@Suite("templates")
struct TemplateTests {
    private static var content: [String: Any] {
        [
            "title": "L’été & \"l’hiver\" <2027>", "empty": "", "number": 42, "yes": true, "no": false,
            "people": [["name": "Zoé"], ["name": "Léa", "town": "Pau"]] as [[String: Any]],
            "none": [String](), "words": ["un", "deux", "trois"], "town": "Bayonne",
            "action": ["label": "Aller", "url": "https://club.example/?a=1&b=2"],
            "nested": [["items": ["a", "b"]], ["items": ["c"]]] as [[String: Any]],
        ]
    }

    private static let sources = [
        "Bonjour {{title}}, {{number}}, {{absent}}{{empty}}.",
        "{{#yes}}oui{{/yes}}{{#no}}non{{/no}}{{^yes}}non{{/yes}}{{^no}}oui{{/no}}{{^absent}}rien{{/absent}}",
        "{{#people}}\n* {{name}} ({{town}})\n{{/people}}\nfin\n",
        "{{#words}}{{.}}{{^last()}}, {{/last()}}{{/words}}.",
        "{{#nested}}[{{#items}}{{.}}{{^last()}} {{/last()}}{{/items}}]{{/nested}}",
        "{{#none}}jamais{{/none}}{{^none}}personne{{/none}}",
        "{{#action}}{{label}} : {{url}} ({{town}}){{/action}}",
        "  {{#yes}}  \nligne\n  {{/yes}}\t\nfin",
        "a {{#yes}}\nb\n{{/yes}} c\n",
        "{{#yes}}\n{{#people}}\n{{name}}\n{{/people}}\n{{/yes}}\n",
        "{{#title}}là{{/title}}{{#number}}{{.}}{{/number}}",
        "{{#empty}}aussi vide{{/empty}}",
        "", "sans rien\n", "{ simple } et {{title}}}",
    ]

    @Test("a template renders as in an independent implementation", arguments: sources)
    func same(source: String) throws {
        let other = try MustacheTemplate(string: source)
        #expect(try Template(Array(source.utf8), escaping: .html).render(Self.content) == other.render(Self.content))
    }

    @Test("text that is not HTML is inserted unchanged")
    func plain() throws {
        let source = "{{title}}"
        #expect(try Template(Array(source.utf8), escaping: .none).render(Self.content) == "L’été & \"l’hiver\" <2027>")
    }

    @Test("a page in a layout renders as in an independent implementation")
    func layouts() throws {
        let layout = "<head>{{$head}}{{/head}}</head>\n{{$content}}\nrien\n{{/content}}\n<foot>\n"
        let pages = [
            "{{<layout}}\n{{$content}}\n<h1>{{title}}</h1>\n{{#people}}\n<p>{{name}}</p>\n{{/people}}\n{{/content}}\n{{/layout}}\n",
            "{{<layout}}{{$head}}<meta>{{/head}}{{/layout}}",
        ]
        for page in pages {
            var library = MustacheLibrary()
            try library.register(layout, named: "layout")
            try library.register(page, named: "page")
            let templates = ["layout": try Template(Array(layout.utf8), escaping: .html)]
            let text = try Template(Array(page.utf8), escaping: .html).render(Self.content, with: templates)
            #expect(text == library.render(Self.content, withTemplate: "page"))
        }
    }

    @Test(
        "errors in a template are found when it is parsed",
        arguments: ["{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{a", "{{}}", "{{a.b}}", "{{& a}}", "{{> a}}"])
    func faults(source: String) {
        #expect(throws: TemplateFault.self) { try Template(Array(source.utf8), escaping: .html) }
    }

    /// Every template of the services, each filled with values for all of its names.
    @Test("our templates render as in an independent implementation")
    func ours() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var files: [URL] = []
        for folder in ["Services/Directory/Templates", "Services/Content/Templates", "Shared/ServiceKit/Templates"] {
            let all = try FileManager.default.contentsOfDirectory(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            files += all.filter { $0.pathExtension == "mustache" }
        }
        #expect(files.count >= 17)
        var library = MustacheLibrary()
        var templates: [String: Template] = [:]
        for file in files {
            let name = file.deletingPathExtension().lastPathComponent
            try library.register(String(contentsOf: file, encoding: .utf8), named: name)
            templates[name] = try Template(Array(Data(contentsOf: file)), escaping: .html)
        }
        for (name, template) in templates {
            for content in Self.contents(of: template) {
                #expect(
                    template.render(content, with: templates) == library.render(content, withTemplate: name), "\(name)")
            }
        }
    }

    /// Contents for a template: with everything present, with everything absent, and with arrays for all sections.
    private static func contents(of template: Template) -> [[String: Any]] {
        let names = names(in: template.parts)
        let plain = names.reduce(into: [String: Any]()) { $0[$1] = "l’«\($1)» <&>" }
        let element = plain.merging(["name": "autre"]) { $1 }
        return [
            [:], plain, names.reduce(into: [:]) { $0[$1] = false }, names.reduce(into: [:]) { $0[$1] = true },
            names.reduce(into: [:]) { $0[$1] = ["un", "deux"] },
            names.reduce(into: plain) { $0[$1] = [element, plain] as [[String: Any]] },
        ]
    }

    private static func names(in parts: [TemplatePart]) -> Set<String> {
        parts.reduce(into: []) { names, part in
            switch part {
            case .text: break
            case .value(let subject): names.formUnion(name(of: subject))
            case .section(let subject, let parts), .inverted(let subject, let parts):
                names.formUnion(name(of: subject))
                names.formUnion(self.names(in: parts))
            case .block(_, let parts): names.formUnion(self.names(in: parts))
            case .layout(_, let blocks): for parts in blocks.values { names.formUnion(self.names(in: parts)) }
            }
        }
    }

    private static func name(of subject: TemplatePart.Subject) -> [String] {
        if case .name(let name) = subject { [name] } else { [] }
    }
}
