/// Why a document could not be written.
package struct PDFError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In cairo's words: `out of memory`.
    package var reason: String

    package var description: String { "the document could not be written: \(reason)" }
}
