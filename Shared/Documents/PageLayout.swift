import CPango

/// The measures of a page, in points of 1/72 inch.
enum A4 {
    static let width = 595.276
    static let height = 841.89
    static let margin = 56.7
    static let textWidth = width - 2 * margin
    /// The position of the window in a French envelope (NF Z11-001).
    static let recipientLeft = millimetres(110)
    static let recipientTop = millimetres(50)
    static let bodyTop = millimetres(98)
    static let labelWidth = millimetres(52)
    /// The last line of a page ends above this.
    static let bodyBottom = height - margin - 28

    static func millimetres(_ length: Double) -> Double { length * 72 / 25.4 }
}

/// One line of text and its position.
struct PlacedLine {
    let text: TextLayout
    let index: Int32
    let page: Int
    let left: Double
    let baseline: Double
}

/// Lays out the texts of a document on pages, from top to bottom.
struct PageLayout {
    private let fonts: FontMap
    private(set) var lines: [PlacedLine] = []
    private(set) var pages = 1
    private var top = A4.bodyTop

    init(_ document: Document, fonts: FontMap) {
        self.fonts = fonts
        letterhead(document)
        for block in document.blocks { place(block) }
    }

    private mutating func letterhead(_ document: Document) {
        let author = fonts.layout(document.author, .strong, width: A4.textWidth / 2)
        put(author, left: A4.margin, top: A4.margin)
        let sender = fonts.layout(document.sender.joined(separator: "\n"), .small, width: A4.textWidth / 2)
        put(sender, left: A4.margin, top: A4.margin + author.height + 3)
        let recipient = fonts.layout(
            document.recipient.joined(separator: "\n"), .body, width: A4.width - A4.margin - A4.recipientLeft)
        put(recipient, left: A4.recipientLeft, top: A4.recipientTop)
        top = max(
            top, A4.margin + author.height + sender.height + 30, A4.recipientTop + recipient.height + 30)
    }

    private mutating func place(_ block: Document.Block) {
        switch block {
        case .heading(let text): flow(fonts.layout(text, .heading, width: A4.textWidth), spaceAfter: 14)
        case .paragraph(let text): flow(fonts.layout(text, .body, width: A4.textWidth), spaceAfter: 9)
        case .notice(let text): flow(fonts.layout(text, .strong, width: A4.textWidth), spaceAfter: 9)
        case .table(let rows):
            for row in rows { place(row) }
            top += 12
        }
    }

    private mutating func place(_ row: Document.Row) {
        let label = fonts.layout(row.label, .quiet, width: A4.labelWidth - 10)
        let value = fonts.layout(row.value, row.isStrong ? .strong : .body, width: A4.textWidth - A4.labelWidth)
        let height = max(label.height, value.height)
        if top + height > A4.bodyBottom { turn() }
        put(label, left: A4.margin, top: top)
        put(value, left: A4.margin + A4.labelWidth, top: top)
        top += height + 4
    }

    /// Adds all lines of a text, continuing on the next page where necessary.
    private mutating func flow(_ text: TextLayout, spaceAfter: Double) {
        for line in text.lines {
            if top + line.height > A4.bodyBottom { turn() }
            lines.append(
                PlacedLine(
                    text: text, index: line.index, page: pages, left: A4.margin, baseline: top + line.ascent))
            top += line.height
        }
        top += spaceAfter
    }

    /// Puts all lines of a text at a fixed place on this page, regardless of other content.
    private mutating func put(_ text: TextLayout, left: Double, top: Double) {
        var top = top
        for line in text.lines {
            lines.append(
                PlacedLine(text: text, index: line.index, page: pages, left: left, baseline: top + line.ascent))
            top += line.height
        }
    }

    private mutating func turn() {
        pages += 1
        top = A4.margin
    }
}
