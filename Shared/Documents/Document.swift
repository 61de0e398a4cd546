/// A letter on A4 pages, as it is printed or sent in an envelope: who writes, to whom, what, and what the law wants under it.
///
/// Texts are plain; line breaks in them are kept, and longer lines are broken between words.
package struct Document: Hashable, Sendable {
    package enum Block: Hashable, Sendable {
        case heading(String)
        case paragraph(String)
        /// A paragraph that is not to be overlooked.
        case notice(String)
        /// Labels with their values; a row is never parted by the end of a page.
        case table([Row])
    }

    package struct Row: Hashable, Sendable {
        package var label: String
        package var value: String
        /// Whether the value is what the table is about, such as its total.
        package var isStrong: Bool

        package init(_ label: String, _ value: String, isStrong: Bool = false) {
            self.label = label
            self.value = value
            self.isStrong = isStrong
        }
    }

    /// What a viewer shows in the window's title.
    package var title: String
    /// The author in the file's metadata, and the first line of the page.
    package var author: String
    /// When the document says what it says, as RFC 3339: the file's dates, so that the same document has the same bytes.
    package var date: String
    /// Under the author, at the top left.
    package var sender: [String]
    /// Where the window of an envelope shows it.
    package var recipient: [String]
    package var blocks: [Block]
    /// Small, at the foot of each page.
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
