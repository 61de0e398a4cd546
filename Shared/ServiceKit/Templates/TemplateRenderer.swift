import ClubProtocol

/// Renders one template.
struct TemplateRenderer {
    private(set) var text = ""
    private let templates: [String: Template]
    private let escaping: Template.Escaping
    /// The current values, the innermost last.
    private var stack: [Any]
    /// Whether the current element is the last of its array.
    private var isLast = false
    /// The blocks that the page supplies for its layout.
    private var blocks: [String: [TemplatePart]] = [:]

    init(content: [String: Any], templates: [String: Template], escaping: Template.Escaping) {
        stack = [content]
        self.templates = templates
        self.escaping = escaping
    }

    mutating func render(_ parts: [TemplatePart]) {
        for part in parts { render(part) }
    }

    private mutating func render(_ part: TemplatePart) {
        switch part {
        case .text(let text): self.text += text
        case .value(let subject): if let value = find(subject) { append(value) }
        case .section(let subject, let parts): if let value = find(subject) { render(parts, of: value) }
        case .inverted(let subject, let parts): if isAbsent(find(subject)) { render(parts) }
        case .block(let name, let parts): render(blocks[name] ?? parts)
        case .layout(let name, let given):
            guard let layout = templates[name] else { return }
            let outer = blocks
            blocks.merge(given) { outer, _ in outer }
            render(layout.parts)
            blocks = outer
        }
    }

    private mutating func render(_ parts: [TemplatePart], of value: Any) {
        let outer = isLast
        if let elements = value as? [Any] {
            for (place, element) in elements.enumerated() {
                isLast = place == elements.count - 1
                stack.append(element)
                render(parts)
                stack.removeLast()
            }
        } else if let holds = value as? Bool {
            if holds { render(parts) }
        } else {
            isLast = false
            stack.append(value)
            render(parts)
            stack.removeLast()
        }
        isLast = outer
    }

    private func isAbsent(_ value: Any?) -> Bool {
        switch value {
        case nil: true
        case let elements as [Any]: elements.isEmpty
        case let holds as Bool: !holds
        default: false
        }
    }

    private func find(_ subject: TemplatePart.Subject) -> Any? {
        switch subject {
        case .isLast: return isLast
        case .current: return stack.last
        case .name(let name):
            for object in stack.reversed() {
                if let value = (object as? [String: Any])?[name] { return value }
            }
            return nil
        }
    }

    private mutating func append(_ value: Any) {
        let plain = value as? String ?? String(describing: value)
        switch escaping {
        case .html: text += HTMLText.escaped(plain)
        case .none: text += plain
        }
    }
}
