/// A letter on A4 pages, for printing or an envelope: sender, recipient, text, and the legal notice at the foot.
///
/// Texts are plain. Their line breaks are kept; longer lines are broken between words.
package struct Document: Hashable, Sendable {
    package enum Block: Hashable, Sendable {
        case heading(String)
        case paragraph(String)
        /// A highlighted paragraph.
        case notice(String)
        /// Labels with their values; page breaks never split a row.
        case table([Row])
    }

    package struct Row: Hashable, Sendable {
        package var label: String
        package var value: String
        /// Whether the value is emphasized, such as a total.
        package var isStrong: Bool

        package init(_ label: String, _ value: String, isStrong: Bool = false) {
            self.label = label
            self.value = value
            self.isStrong = isStrong
        }
    }

    /// Shown by viewers in the window title.
    package var title: String
    /// The author in the file's metadata, and the first line of the page.
    package var author: String
    /// The date in RFC 3339, used for the file's dates, so that the same document has the same bytes.
    package var date: String
    /// Below the author, at the top left.
    package var sender: [String]
    /// Positioned for the window of an envelope.
    package var recipient: [String]
    package var blocks: [Block]
    /// In small print, at the foot of each page.
    package var legalNotice: String

    package init(
        title: String, author: String, date: String, sender: [String], recipient: [String], blocks: [Block],
        legalNotice: String
    ) {
        self.title = title
        self.author = author
        self.date = date
        self.sender = sender
        self.recipient = recipient
        self.blocks = blocks
        self.legalNotice = legalNotice
    }
}
